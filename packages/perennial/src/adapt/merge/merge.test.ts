import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad, openSafetensors, type Tensor, tensor, torch } from "@perennial/torch";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Decoder, loadModel, saveModel } from "../../model/index.ts";
import { dare, linear, type MergeSpec, mergeModels, slerp, taskArithmetic, ties } from "./index.ts";

const golden = openSafetensors(new URL("./golden/mergekit.safetensors", import.meta.url).pathname);
const read = (name: string) => golden.read(name);
const models = ["model0", "model1", "model2"].map(read);
const weights = [1, 0.5, 2];
const vectors = { base: read("base"), models, weights, scale: 0.7 };
const close = (actual: Tensor, expected: Tensor) => expect(actual.isClose(expected, { relative: 1e-5, absolute: 1e-6 })).toBe(true);
const list = (value: Tensor) => value.toArray() as number[];

test("linear, SLERP, task arithmetic and TIES equal mergekit's", () => {
  close(linear(models, weights), read("linear"));
  close(linear(models, weights, false), read("linearSum"));
  close(slerp(vectors.base, models[0]!.flip([0]), 0.3), read("slerp"));
  close(taskArithmetic(vectors), read("taskArithmetic"));
  close(ties(vectors, [0.2, 0.5, 0.8]), read("ties"));
});

test("SLERP: half-way between unit axes is the diagonal; parallel vectors interpolate linearly; ends are exact", () => {
  const [x, y] = [tensor([1, 0]), tensor([0, 1])];
  close(slerp(x, y, 0.5), tensor([Math.SQRT1_2, Math.SQRT1_2]));
  close(slerp(x, y, 1 / 3), tensor([Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)]));
  close(slerp(x, x.mul(3), 0.25), tensor([1.5, 0]));
  close(slerp(x, torch.zeros([2]), 0.25), tensor([0.75, 0]));
  expect(slerp(x, y, 0).equal(x)).toBe(true);
});

test("SLERP keeps the length of vectors of one length", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, t) => {
      manualSeed(seed);
      const [a, b] = [torch.randn([20]), torch.randn([20])].map((v) => v.div(v.square().sum().sqrt()));
      expect(slerp(a!, b!, t).square().sum().item()).toBeCloseTo(1, 4);
    }),
    { numRuns: 20 },
  );
});

test("TIES: trims small changes, and only those who agree with the elected sign are averaged", () => {
  const base = tensor([0, 0, 0, 0]);
  const [a, b] = [tensor([4, -3, 0.1, 2]), tensor([2, 5, 0.2, -2])];
  // Element 1: −3 + 5 elects +, only b counts. Element 2: trimmed in both. Element 3: 2 − 2 = 0 counts as +, only a.
  expect(list(ties({ base, models: [a, b], weights: [1, 1], scale: 1 }, [0.75, 0.75]))).toEqual([3, 5, 0, 2]);
});

test("DARE: every element is dropped or divided by the density, follows its seed, and keeps the mean", () => {
  const base = torch.ones([100_000]);
  const model = base.add(1);
  const vector = { base, models: [model], weights: [1], scale: 1 };
  const merged = dare(vector, [0.25], [7]);
  expect([...new Set(list(merged))].sort()).toEqual([1, 5]);
  expect(merged.equal(dare(vector, [0.25], [7]))).toBe(true);
  expect(merged.equal(dare(vector, [0.25], [8]))).toBe(false);
  // Standard error of the mean: √((1 − p)/p / n) = 0.0055.
  expect(Math.abs(merged.mean().item() - 2)).toBeLessThan(4 * 0.0055);
  expect(dare(vector, [1], [7]).equal(model)).toBe(true);
});

test("chunks make no difference", () => {
  manualSeed(3);
  const [base, one, two] = [0, 1, 2].map(() => torch.randn([1025, 1030])) as [Tensor, Tensor, Tensor];
  close(linear([one, two], [1, 3]), one.add(two.mul(3)).div(4));
  const pair = { base, models: [one, two], weights: [1, 1], scale: 1 };
  close(taskArithmetic(pair), one.add(two).sub(base));
  const whole = ties(pair, [0.3, 0.3]);
  expect(ties({ ...pair, models: [two, one] }, [0.3, 0.3]).isClose(whole, { absolute: 1e-6 })).toBe(true);
  // 30 % of the changes of each model remain: of independent ones, 1 − 0.7² of the elements move.
  const fromZero = ties({ ...pair, base: torch.zerosLike(base) }, [0.3, 0.3]);
  expect(fromZero.ne(0).float().mean().item()).toBeCloseTo(0.51, 2);
});

let folder: string;
const family = new URL("../../model/golden/qwen3", import.meta.url).pathname;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-merge-"));
  for (const [i, name] of ["a", "b"].entries()) {
    const { model, rawConfig } = loadModel(family);
    manualSeed(i);
    noGrad(() => {
      for (const parameter of model.parameters) parameter.add_(torch.randn(parameter.shape).mul(0.01));
    });
    saveModel(join(folder, name), model, { rawConfig, dtype: i === 0 ? "float32" : "bfloat16", maxShardBytes: 20_000 });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const specs: MergeSpec[] = [
  { method: "linear", models: [{ path: "a" }, { path: "b", weight: 3 }] },
  { method: "slerp", models: ["a", "b"], t: 0.4 },
  { method: "taskArithmetic", base: family, models: [{ path: "a" }, { path: "b" }], scale: 0.5 },
  { method: "ties", base: family, models: [{ path: "a", density: 0.5 }, { path: "b" }] },
  { method: "dare", base: family, models: [{ path: "a" }], seed: 5 },
];
test.each(specs)("$method streams folders of any sharding into a model that loads", (spec) => {
  const output = at(`merged-${spec.method}`);
  mergeModels(spec, output, { baseFolder: folder });
  const merged = loadModel(output).model;
  const [base, a, b] = [family, at("a"), at("b")].map((path) => loadModel(path).model.stateDict());
  for (const [name, value] of merged.stateDict()) {
    const [origin, x, y] = [base!.get(name)!, a!.get(name)!, b!.get(name)!];
    if (spec.method === "linear") close(value, x.add(y.mul(3)).div(4));
    else if (spec.method === "taskArithmetic") close(value, x.add(y).div(2));
    else expect(value.sub(origin).abs().max().item()).toBeLessThan(0.2);
    expect(value.equal(origin)).toBe(false);
  }
  expect(readdirSync(output).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  expect(existsSync(join(output, "config.json"))).toBe(true);
  expect(() => mergeModels(spec, output, { baseFolder: folder })).toThrow(/expected a folder without weights/);
});

test("one model with weight 1 is that model, byte by byte", () => {
  mergeModels({ method: "linear", models: [{ path: "a" }, { path: "b", weight: 0 }] }, at("same"), { baseFolder: folder });
  const shards = readdirSync(at("a")).filter((file) => file.includes("safetensors"));
  expect(shards.length).toBeGreaterThan(2);
  for (const file of shards) expect(readFileSync(join(at("same"), file)).equals(readFileSync(join(at("a"), file))), file).toBe(true);
});

test("models of different shapes are refused with the tensor's name, before anything is written", () => {
  const { model } = loadModel(family);
  saveModel(at("wide"), new Decoder({ ...model.config, intermediateSize: 48 }));
  const spec: MergeSpec = { method: "slerp", models: ["a", "wide"], t: 0.5 };
  expect(() => mergeModels(spec, at("none"), { baseFolder: folder })).toThrow(/wide model.*mlp.*expected shape \[.*40.*received "\[.*48/);
  expect(existsSync(at("none"))).toBe(false);
  expect(() =>
    mergeModels({ ...spec, models: ["a", new URL("../../model/golden/olmo2", import.meta.url).pathname] }, at("none"), {
      baseFolder: folder,
    }),
  ).toThrow(/expected shape/);
});
