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

test("sparse tensors as their parts", () => {
  const x = tensor([
    [0, 1, 0],
    [2.5, 0, 0],
  ]);
  expect(x.layout).toBe("strided");
  expect(x.toSparse().layout).toBe("sparse_coo");
  expect(String(x.toSparse())).toBe(
    "tensor(indices=tensor([[0, 1],\n                       [1, 0]]),\n       values=tensor([1.0000, 2.5000]),\n       size=(2, 3), nnz=2, layout=torch.sparse_coo)",
  );
  expect(String(x.toSparseCsr())).toBe(
    "tensor(crow_indices=tensor([0, 1, 2]),\n       col_indices=tensor([1, 0]),\n       values=tensor([1.0000, 2.5000]), size=(2, 3), nnz=2,\n       layout=torch.sparse_csr)",
  );
  expect(String(x.toSparseCsc())).toContain("ccol_indices=tensor([0, 1, 2, 2]),\n       row_indices=tensor([1, 0])");
});
