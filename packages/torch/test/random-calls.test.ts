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
  expect(() => torch.combinations(torch.ones([0]), { r: 1e6 })).toThrow("0 elements in groups of 1000000");
  const nothing = torch.ones([0]);
  const endless = torch.empty([2 ** 40], { device: "meta" });
  for (const split of [
    () => torch.tensorSplit(nothing, 2 ** 40),
    () => torch.tensorSplit(nothing, tensor(2 ** 40, { dtype: "int64" })),
    () => torch.hsplit(nothing, 2 ** 40),
    () => torch.chunk(nothing, 2 ** 40),
    () => torch.unsafeChunk(endless, 2 ** 40),
    () => torch.split(endless, 1),
    () => torch.unsafeSplit(endless, 1),
    () => torch.unbind(endless),
  ])
    expect(split).toThrow("1099511627776 parts are more than the 262144 that one call may return");
  expect(torch.chunk(torch.ones([3]), 2 ** 40).length).toBe(3);
  expect(torch.tensorSplit(torch.ones([3]), [1, 2]).length).toBe(3);
  expect(torch.split(torch.ones([5]), 2).length).toBe(3);
  const deep = tensor([-1e14 - 0.5, 1], { dtype: "float64" });
  for (const sum of [() => torch.specialZeta(2, deep), () => torch.polygamma(3, deep), () => deep.polygamma_(3)])
    expect(sum).toThrow("an argument below -65536 is beyond what is summed");
  expect(torch.polygamma(1, tensor([-1e9 - 0.5], { dtype: "float64" })).shape).toEqual([1]);
  expect(torch.specialZeta(2, tensor([1])).item()).toBeCloseTo(Math.PI ** 2 / 6, 5);
  expect(() => torch.binomial(tensor([Number.NaN]), tensor([0.5]))).toThrow("aten::binomial: count holds NaN");
  expect(torch.binomial(tensor([4]), tensor([1])).item()).toBe(4);
  expect(() => torch.chooseQparamsOptimized(torch.ones([4]), 4, 2 ** 53, 0.5, 8)).toThrow("nBins = 9007199254740992 is beyond 65536");
  const two = () => [torch.ones([2]), torch.ones([2])];
  expect(() => callOperator("aten::_foreach_exp", [two()], { out: [torch.ones([2])] })).toThrow("out holds 1 tensors for 2 results");
  expect(torch.specialLegendrePolynomialP(x, 2).toArray()).toEqual([-0.125, -0.125]);
});

test("eigenvalues of a matrix with infinities or NaN are an error, not a crash", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    for (const eigenvalues of [torch.linalgEigvals, torch._linalgEigvals])
      expect(() => eigenvalues(torch.full([4, 4], bad))).toThrow("the matrix holds infinities or NaN");
  expect(torch.linalgEigvals(torch.eye(2)).shape).toEqual([2]);
});

test("tensors of endless size that take no memory are refused where a call would go through them, and remain as views", () => {
  const one = tensor([1]);
  const endless = one.expand([2 ** 40]);
  expect(endless.view([2 ** 20, 2 ** 20]).shape).toEqual([2 ** 20, 2 ** 20]);
  expect(endless.slice(0, 5, 7).toArray()).toEqual([1, 1]);
  const refused = "1099511627776 elements expanded from fewer are more than the 17179869184";
  expect(() => endless.sum()).toThrow(refused);
  expect(() => torch.cosineSimilarity(endless, endless, { dim: 0 })).toThrow(refused);
  expect(() => torch.stack([endless, endless])).toThrow(refused);
  const meta = torch.empty([2 ** 40], { device: "meta" });
  expect(meta.sum().shape).toEqual([]);
  expect(() => torch.cosineSimilarity(one, meta, { dim: 0 })).toThrow("1099511627776 elements on the device meta beside tensors with data");
});
