/** toString and util.inspect against Python's print, character by character. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { type Dtype, isComplexDtype, scope, tensor, torch } from "../src/index.ts";
import { decodeTensor, readGolden } from "./golden.ts";

const cases = readGolden<{ t: Dtype; s: number[]; d: (number | string)[]; g: 0 | 1; text: string }[]>("printed");

test.each(cases)("$t $s: $text", ({ g, text, ...data }) => {
  scope(() => {
    const shown =
      isComplexDtype(data.t) || data.t !== "int64" ? decodeTensor(data) : tensor(data.d.map(BigInt), { shape: data.s, dtype: "int64" });
    if (g === 1) shown.requiresGrad_();
    expect(shown.toString()).toBe(text);
    expect(inspect(shown)).toBe(text);
  });
});

test("what Python has no counterpart for", () => {
  const gone = torch.ones([1]);
  gone.dispose();
  expect(String(gone)).toBe("Tensor(disposed)");
  expect(String(torch.empty([2, 3], { device: "meta" }))).toBe("tensor(..., device='meta', size=(2, 3))");
  expect(`${inspect({ x: tensor([1, 2]) })}`).toBe("{ x: tensor([1., 2.]) }");
});
