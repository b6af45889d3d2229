/** No call may crash the process: thousands of wrong ones, in processes of their own. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { callOperator, operator, tensor, torch } from "../src/index.ts";
import { unsafeOperators } from "../src/unsafe-operators.ts";
import { isPinned } from "./golden.ts";

const script = fileURLToPath(new URL("random-calls.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "random-calls-"));
// Which operators crash is known of the pinned libtorch alone.
const onPinned = test.skipIf(!isPinned);
const SEEDS = [1, 2, 9, 11];
const CALLS = 5000;

async function run(seed: number) {
  const log = join(folder, `${seed}.log`);
  // Data is limited to 4 GB, so that absurd sizes are errors of the allocator and not of the machine.
  const command = `ulimit -d 4000000 2>/dev/null; ulimit -c 0; exec "$0" --conditions source --import tsx "$@"`;
  const call = promisify(execFile)("sh", ["-c", command, process.execPath, script, String(seed), String(CALLS), log], {
    maxBuffer: 1 << 26,
  });
  try {
    const { stdout } = await call;
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as {
      operators: number;
      calls: number;
      succeeded: number;
      sum: number;
      leaked: number;
    };
  } catch (error) {
    const { signal, code } = error as { signal?: string; code?: number };
    throw new Error(`seed ${seed} ended with ${signal ?? code} in ${readFileSync(log, "utf8").split("\n")[0]}`, { cause: error });
  }
}

onPinned(`${SEEDS.length * CALLS} random calls: errors, but no crash, and nothing left behind`, async () => {
  let calls = 0;
  for (const seed of SEEDS) {
    const result = await run(seed);
    calls += result.calls;
    expect(result.operators).toBeGreaterThan(1000);
    // Some must get through, or nothing but the checks at the door was tested.
    expect(result.succeeded).toBeGreaterThan(CALLS / 10);
    expect(result).toMatchObject({ sum: 6, leaked: 0 });
  }
  expect(calls).toBe(20_000);
});

onPinned.each(Object.entries(unsafeOperators))("%s is refused, with the reason", (name, reason) => {
  expect(operator(name).overloads.length).toBeGreaterThan(0);
  expect(() => operator(name).call(undefined, [torch.ones([1])])).toThrow(`${name} ${reason}`);
});

test("work that grows with a number is refused beyond a stated bound, and done below it", () => {
  const x = tensor([0.5, -0.5]);
  expect(() => torch.combinations(torch.ones([3]), 2 ** 31)).toThrow(
    "aten::combinations: 3 elements in groups of 2147483648 are more than",
  );
  expect(() => torch.combinations(torch.ones([2000]), { r: 3 })).toThrow("are more than the 268435456");
  expect(torch.combinations(torch.ones([4])).shape).toEqual([6, 2]);
  for (const polynomial of [torch.specialLegendrePolynomialP, torch.specialLaguerrePolynomialL]) {
    expect(() => polynomial(x, 2 ** 31)).toThrow("n = 2147483648 is beyond 1048576, the highest allowed");
    expect(() => polynomial(x, tensor([3, 2 ** 40]))).toThrow("n = 1099511627776 is beyond");
    expect(polynomial(x, 2).shape).toEqual([2]);
  }
  expect(() => torch.diff(x, { n: 2 ** 40 })).toThrow("n = 1099511627776 is beyond");
  expect(torch.diff(x).toArray()).toEqual([-1]);
  const many = Array.from({ length: 70_000 }, () => 0);
  for (const shift of [
    () => torch.roll(x, many, { dims: many }),
    () => torch.fftFftshift(x, { dim: many }),
    () => torch.fftIfftshift(x, { dim: many }),
  ])
    expect(shift).toThrow("70000 steps are more than the 4096 that are allowed");
  expect(torch.roll(x, [1, 1], { dims: [0, 0] }).toArray()).toEqual([0.5, -0.5]);
  const two = () => [torch.ones([2]), torch.ones([2])];
  expect(() => callOperator("aten::_foreach_exp", [two()], { out: [torch.ones([2])] })).toThrow("out holds 1 tensors for 2 results");
  expect(torch.specialLegendrePolynomialP(x, 2).toArray()).toEqual([-0.125, -0.125]);
});
