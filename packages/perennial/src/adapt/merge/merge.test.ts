import { manualSeed, memory, openSafetensors, scope, type Tensor, tensor, torch } from "@perennial/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { dare, linear, materialize, slerp, type TaskVectors, taskArithmetic, ties, type Values, valuesOf } from "./index.ts";
import { settingAt } from "./setting.ts";

const golden = openSafetensors(new URL("./golden/mergekit.safetensors", import.meta.url).pathname);
const read = (name: string) => golden.read(name);
const base = read("base");
const models = ["model0", "model1", "model2"].map(read);
const weights = [1, 0.5, 2];
const density = [0.2, 0.5, 0.8];
const seeds = [11, 12, 13];
const lazily = (tensors: readonly Tensor[]) => tensors.map(valuesOf);
const task = (origin: Tensor, tuned: readonly Tensor[], given: readonly number[] = tuned.map(() => 1), scale = 1): TaskVectors => ({
  base: valuesOf(origin),
  models: lazily(tuned),
  weights: given,
  scale,
});
const vectors = task(base, models, weights, 0.7);
const whole = (values: Values, like = base) => materialize(values, like.shape);
const close = (actual: Tensor, expected: Tensor) => expect(actual.isClose(expected, { relative: 1e-5, absolute: 1e-6 })).toBe(true);
const list = (value: Tensor) => value.toArray() as number[];
const arc = (a: Tensor, b: Tensor, t: number) => whole(slerp(valuesOf(a), valuesOf(b), t), a);

test.each<[string, () => Values]>([
  ["linear", () => linear(lazily(models), weights)],
  ["linearSum", () => linear(lazily(models), weights, false)],
  ["linearNegative", () => linear(lazily(models), [1, -0.5, 2])],
  ["slerp", () => slerp(valuesOf(base), valuesOf(models[0]!.flip([0])), 0.3)],
  ["slerpStart", () => slerp(valuesOf(base), valuesOf(models[0]!.flip([0])), 0)],
  ["slerpEnd", () => slerp(valuesOf(base), valuesOf(models[0]!.flip([0])), 1)],
  ["slerpZero", () => slerp(valuesOf(base), valuesOf(torch.zerosLike(base)), 0.25)],
  ["slerpZeros", () => slerp(valuesOf(torch.zerosLike(base)), valuesOf(torch.zerosLike(base)), 0.25)],
  ["slerpParallel", () => slerp(valuesOf(base), valuesOf(base.mul(3)), 0.25)],
  ["slerpOpposite", () => slerp(valuesOf(base), valuesOf(base.neg()), 0.25)],
  ["taskArithmetic", () => taskArithmetic(vectors)],
  ["ties", () => ties(vectors, density)],
  ["tiesWhole", () => ties(vectors, [1, 1, 1])],
  ["tiesNothing", () => ties(vectors, [0, 0, 0])],
  ["tiesNegative", () => ties({ ...vectors, weights: [1, -0.5, 2] }, density)],
  ["dareL1", () => dare(vectors, { densities: density, seeds, rescale: "l1" })],
  ["dareNone", () => dare(vectors, { densities: density, seeds, rescale: "none" })],
  ["dareTies", () => dare(vectors, { densities: density, seeds, rescale: "l1", elect: true })],
  ["dareWhole", () => dare(vectors, { densities: [1, 1, 1], seeds })],
  ["dareNothing", () => dare(vectors, { densities: [0, 0, 0], seeds })],
])("%s equals mergekit's", (name, merged) => close(whole(merged()), read(name)));

test("every merge of the golden file is compared", () => {
  expect(golden.names).toHaveLength(20 + 4);
});

test("SLERP: half-way between unit axes is the diagonal; parallel vectors interpolate linearly; ends are exact", () => {
  const [x, y] = [tensor([1, 0]), tensor([0, 1])];
  close(arc(x, y, 0.5), tensor([Math.SQRT1_2, Math.SQRT1_2]));
  close(arc(x, y, 1 / 3), tensor([Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)]));
  close(arc(x, x.mul(3), 0.25), tensor([1.5, 0]));
  expect(arc(x, y, 0).equal(x)).toBe(true);
});

test("SLERP keeps the length of vectors of one length", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, t) => {
      manualSeed(seed);
      const [a, b] = [torch.randn([20]), torch.randn([20])].map((v) => v.div(v.square().sum().sqrt()));
      expect(arc(a!, b!, t).square().sum().item()).toBeCloseTo(1, 4);
    }),
    { numRuns: 20 },
  );
});

test("TIES: trims small changes, and only those who agree with the elected sign are averaged", () => {
  const zero = tensor([0, 0, 0, 0]);
  const [a, b] = [tensor([4, -3, 0.1, 2]), tensor([2, 5, 0.2, -2])];
  // Element 1: −3 + 5 elects +, only b counts. Element 2: trimmed in both. Element 3: 2 − 2 = 0 counts as +, only a.
  expect(list(whole(ties(task(zero, [a, b]), [0.75, 0.75]), zero))).toEqual([3, 5, 0, 2]);
});

test("DARE: every element is dropped or divided by the density, follows its seed, and keeps the mean", () => {
  const ones = torch.ones([20_000]);
  const model = ones.add(1);
  const drop = (densities: number[], seed: number) => whole(dare(task(ones, [model]), { densities, seeds: [seed] }), ones);
  const merged = drop([0.25], 7);
  expect([...new Set(list(merged))].sort()).toEqual([1, 5]);
  expect(merged.equal(drop([0.25], 7))).toBe(true);
  expect(merged.equal(drop([0.25], 8))).toBe(false);
  // Standard error of the mean: √((1 − p)/p / n) = 0.0122.
  expect(Math.abs(merged.mean().item() - 2)).toBeLessThan(4 * 0.0122);
  // The same again, and in one piece.
  const values = dare(task(ones, [model]), { densities: [0.25], seeds: [7] });
  for (const _ of [1, 2]) expect(whole(values, ones).equal(merged)).toBe(true);
  expect(values.read(0, 20_000).equal(merged)).toBe(true);
});

test("ranges make no difference", () => {
  manualSeed(3);
  const [origin, one, two] = [0, 1, 2].map(() => torch.randn([1025, 1030])) as [Tensor, Tensor, Tensor];
  close(whole(linear(lazily([one, two]), [1, 3]), one), one.add(two.mul(3)).div(4));
  const pair = task(origin, [one, two]);
  close(whole(taskArithmetic(pair), one), one.add(two).sub(origin));
  const trimmed = whole(ties(pair, [0.3, 0.3]), one);
  expect(whole(ties(task(origin, [two, one]), [0.3, 0.3]), one).isClose(trimmed, { absolute: 1e-6 })).toBe(true);
  // 30 % of the changes of each model remain: of independent ones, 1 − 0.7² of the elements move.
  const fromZero = whole(ties(task(torch.zerosLike(origin), [one, two]), [0.3, 0.3]), one);
  expect(fromZero.ne(0).float().mean().item()).toBeCloseTo(0.51, 2);
});

const numel = 400_000;
/** Values made when they are asked for, noting what lives by then. */
function generated(seed: number, watch: { peak: number }): Values {
  return {
    numel,
    read(start, end) {
      const values = torch
        .arange(start, end, { dtype: "float32" })
        .mul_(seed + 1)
        .sin_();
      watch.peak = Math.max(watch.peak, memory().liveBytes);
      return values;
    },
  };
}
const densities = (count: number) => Array.from({ length: count }, () => 0.5);
test.each<[string, (base: Values, models: readonly Values[], weights: readonly number[]) => Values]>([
  ["linear", (_, all, w) => linear(all, w)],
  ["slerp", (origin, [other]) => slerp(origin, other!, 0.4)],
  ["taskArithmetic", (origin, all, w) => taskArithmetic({ base: origin, models: all, weights: w, scale: 1 })],
  ["ties", (origin, all, w) => ties({ base: origin, models: all, weights: w, scale: 1 }, densities(all.length))],
  [
    "dare",
    (origin, all, w) =>
      dare(
        { base: origin, models: all, weights: w, scale: 1 },
        { densities: densities(all.length), seeds: [...all.keys()], rescale: "l1", elect: true },
      ),
  ],
])("%s holds less than two tensors and its result, and as much for 8 models as for 2", (_, merged) => {
  const peaks = [2, 4, 8].map((count) => {
    const watch = { peak: 0 };
    const before = memory().liveBytes;
    scope(() => {
      const all = Array.from({ length: count }, (_, i) => generated(i + 1, watch));
      whole(
        merged(
          generated(0, watch),
          all,
          all.map(() => 1),
        ),
        torch.empty([numel]),
      );
    });
    return watch.peak - before;
  });
  expect(Math.max(...peaks)).toBeLessThan(3 * 4 * numel);
  expect(peaks[2]! - peaks[0]!).toBeLessThan(100_000); // states of generators
});

test("settings: a number, a list over the layers, cases by name", () => {
  const at = (setting: Parameters<typeof settingAt>[0], tensor: string, depth: number) => settingAt(setting, { tensor, depth, field: "t" });
  expect(at(0.3, "x", 0.5)).toBe(0.3);
  expect([0, 0.25, 0.5, 1].map((depth) => at([0, 1, 0], "x", depth))).toEqual([0, 0.5, 1, 0]);
  const cases = [{ filter: "mlp", value: [0, 1] }, { filter: "norm", value: 0.1 }, { value: 0.2 }];
  expect([at(cases, "a.mlp.b", 0.5), at(cases, "norm.mlp", 1), at(cases, "norm", 1), at(cases, "rest", 1)]).toEqual([0.5, 1, 0.1, 0.2]);
  expect(() => at(cases.slice(0, 2), "lm_head", 0)).toThrow(/t: expected a case that fits lm_head/);
});
