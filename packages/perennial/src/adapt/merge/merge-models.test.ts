import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad, openSafetensors, type Tensor, torch, writeSafetensors } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Decoder, loadModel, saveModel } from "../../model/index.ts";
import { type MergeOptions, type MergeSpec, mergeModels } from "./index.ts";

const close = (actual: Tensor, expected: Tensor, what?: string) =>
  expect(actual.isClose(expected, { relative: 1e-5, absolute: 1e-6 }), what).toBe(true);
let folder: string;
const at = (name: string) => join(folder, name);
const fixture = (name: string) => new URL(`../../model/golden/${name}`, import.meta.url).pathname;
const family = fixture("qwen3");
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-merge-"));
  for (const [i, name] of ["a", "b"].entries()) {
    const { model, rawConfig } = loadModel(family);
    manualSeed(i);
    noGrad(() => {
      for (const parameter of model.parameters) parameter.add_(torch.randn(parameter.shape).mul(0.01));
    });
    saveModel(at(name), model, { rawConfig, dtype: i === 0 ? "float32" : "bfloat16", maxShardBytes: 20_000 });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const merge = (spec: MergeSpec, output: string, options: MergeOptions = {}) =>
  mergeModels(spec, at(output), { baseFolder: folder, ...options });
/** A copy of a model with other files. */
function variant(name: string, of: string, files: Readonly<Record<string, string>>): string {
  cpSync(of, at(name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(at(name), file), text);
  return name;
}
const ab: MergeSpec = { method: "linear", models: [{ path: "a" }, { path: "b" }] };
const weightsOf = (name: string) => loadModel(at(name)).model.stateDict();

const specs: MergeSpec[] = [
  { method: "linear", models: [{ path: "a" }, { path: "b", weight: 3 }] },
  { method: "slerp", models: ["a", "b"], t: 0.4 },
  { method: "taskArithmetic", base: family, models: [{ path: "a" }, { path: "b" }], scale: 0.5 },
  { method: "ties", base: family, models: [{ path: "a", density: 0.5 }, { path: "b" }] },
  { method: "dare", base: family, models: [{ path: "a" }], seed: 5 },
];
test.each(specs)("$method streams folders of any sharding into a model that loads", async (spec) => {
  const output = `merged-${spec.method}`;
  const seen: number[] = [];
  const report = await merge(spec, output, { onTensor: (done) => seen.push(done) });
  const merged = loadModel(at(output)).model;
  const [base, a, b] = [family, at("a"), at("b")].map((path) => loadModel(path).model.stateDict());
  for (const [name, value] of merged.stateDict()) {
    const [origin, x, y] = [base!.get(name)!, a!.get(name)!, b!.get(name)!];
    if (spec.method === "linear") close(value, x.add(y.mul(3)).div(4));
    else if (spec.method === "taskArithmetic") close(value, x.add(y).div(2));
    else expect(value.sub(origin).abs().max().item()).toBeLessThan(0.2);
    expect(value.equal(origin)).toBe(false);
  }
  expect(report).toMatchObject({ tensors: seen.length, dtypes: ["float32"], parameters: 22_144, tokenizer: null });
  expect(report.files.every((file) => existsSync(join(at(output), file)))).toBe(true);
  expect(existsSync(join(at(output), "config.json"))).toBe(true);
  await expect(merge(spec, output)).rejects.toThrow(/expected a new or empty folder/);
});

test("t by layer and name equals mergekit's, tensor by tensor", async () => {
  const reader = openSafetensors(join(family, "model.safetensors"));
  const tensors = new Map(reader.names.map((name) => [name, reader.read(name).float()]));
  const other = new Map(
    [...tensors].map(([name, x]) => [
      name,
      x
        .reshape([-1])
        .mul(torch.arange(x.numel).remainder(2).neg().add(0.5))
        .reshape([...x.shape]),
    ]),
  );
  for (const [name, values] of [
    ["k0", tensors],
    ["k1", other],
  ] as const) {
    // biome-ignore format: pairs
    mkdirSync(at(name));
    cpSync(join(family, "config.json"), join(at(name), "config.json"));
    writeSafetensors(join(at(name), "model.safetensors"), values);
  }
  const t = [{ filter: "self_attn", value: [0, 0.5, 0.25] }, { filter: "mlp", value: [1, 0] }, { value: [0.2, 0.8] }];
  await merge({ method: "slerp", models: ["k0", "k1"], t }, "by-layer");
  const [ours, theirs] = [join(at("by-layer"), "model.safetensors"), new URL("./golden/folder.safetensors", import.meta.url).pathname].map(
    (path) => openSafetensors(path),
  );
  expect([...ours!.names].sort()).toEqual([...theirs!.names].sort());
  for (const name of theirs!.names) close(ours!.read(name), theirs!.read(name), name);
});

test("one model with weight 1 is that model, byte by byte", async () => {
  await merge({ method: "linear", models: [{ path: "a" }, { path: "b", weight: 0 }] }, "same");
  const shards = readdirSync(at("a"));
  expect(shards.length).toBeGreaterThan(4);
  const [same, a] = ["same", "a"].map((name) => (file: string) => readFileSync(join(at(name), file)));
  for (const file of shards)
    if (file.endsWith(".index.json")) expect(JSON.parse(same!(file).toString())).toEqual(JSON.parse(a!(file).toString()));
    else expect(same!(file).equals(a!(file)), file).toBe(true);
});

test("dtype and size of files are free: the config says which, the index where", async () => {
  const report = await merge({ ...ab, dtype: "float16", maxShardBytes: 8_000 }, "half");
  expect(report.dtypes).toEqual(["float16"]);
  const index = JSON.parse(readFileSync(join(at("half"), "model.safetensors.index.json"), "utf8"));
  expect(index.metadata.total_size).toBe(report.bytes);
  expect(new Set(Object.values(index.weight_map))).toEqual(new Set(report.files));
  expect(JSON.parse(readFileSync(join(at("half"), "config.json"), "utf8"))).toMatchObject({ dtype: "float16" });
  const [half, a, b] = ["half", "a", "b"].map(weightsOf);
  for (const [name, value] of half!)
    expect(value.isClose(a!.get(name)!.add(b!.get(name)!).div(2), { relative: 1e-3, absolute: 1e-4 })).toBe(true);
});

test("models of different shapes are refused with the tensor's name, before anything is written", async () => {
  const { model, rawConfig } = loadModel(family);
  saveModel(at("wide"), new Decoder({ ...model.config, intermediateSize: 48 }));
  saveModel(at("tall"), new Decoder({ ...model.config, vocabSize: model.config.vocabSize + 8 }), { rawConfig });
  saveModel(at("deep"), new Decoder({ ...model.config, numHiddenLayers: 3, slidingLayers: null }), {
    rawConfig: { ...rawConfig, layer_types: undefined },
  });
  const slerp = (models: [string, string]) => merge({ method: "slerp", models, t: 0.5 }, "none");
  await expect(slerp(["a", "wide"])).rejects.toThrow(/wide model.*mlp.*expected shape \[.*40.*as in .*a, received \[.*48/);
  await expect(slerp(["a", "tall"])).rejects.toThrow(/embed_tokens.*vocabularies differ in size/);
  await expect(slerp(["a", "deep"])).rejects.toThrow(/deep model.layers.2.*and 6 more: expected no such tensors, as in .*a/);
  await expect(slerp(["deep", "a"])).rejects.toThrow(/a model.layers.2.*expected tensors as in .*deep, and they are missing/);
  await expect(slerp(["a", fixture("olmo2")])).rejects.toThrow(/MERGE|shape|tensors/);
  await expect(slerp(["a", "model.gguf"])).rejects.toThrow(/perennial import/);
  const heads = JSON.stringify({ ...rawConfig, num_attention_heads: 2, num_key_value_heads: 1, head_dim: 16 });
  await expect(slerp(["a", variant("heads", at("a"), { "config.json": heads })])).rejects.toThrow(
    /heads (numAttentionHeads|numKeyValueHeads): expected \d/,
  );
  expect(existsSync(at("none"))).toBe(false);
});

const tokenizer = (vocab: Record<string, number>, merges: string[] = [], added: { id: number; content: string }[] = []) =>
  JSON.stringify({ added_tokens: added, model: { type: "BPE", vocab, merges } });
test("tokenizers are compared: other ids are refused until one is chosen, more tokens than rows always", async () => {
  const files = { "tokenizer.json": tokenizer({ a: 0, b: 1 }, ["a b"]), "tokenizer_config.json": "{}" };
  variant("t", at("a"), files);
  variant("same-t", at("b"), { "tokenizer.json": tokenizer({ b: 1, a: 0 }, ["a b"]) });
  variant("swapped", at("b"), { "tokenizer.json": tokenizer({ a: 1, b: 0 }) });
  variant("more", at("b"), {
    "tokenizer.json": tokenizer({ a: 0, b: 1 }, ["a b"], [{ id: 2, content: "<chat>" }]),
    "generation_config.json": '{"eos_token_id":2}',
  });
  variant("cut", at("b"), { "tokenizer.json": tokenizer({ a: 0, b: 1 }) });
  variant("huge", at("b"), { "tokenizer.json": tokenizer({ a: 0, b: 100_000 }) });
  const pair = (b: string, extra: Partial<MergeSpec> = {}): MergeSpec =>
    ({ method: "linear", models: [{ path: "t" }, { path: b }], ...extra }) as MergeSpec;
  expect(await merge(pair("same-t"), "x1", { dryRun: true })).toMatchObject({ tokenizer: at("t"), notes: [] });
  await expect(merge(pair("swapped"), "x2")).rejects.toThrow(
    /swapped: expected the tokens of .*t, but 2 ids differ \(id 0 is "a" there and "b" here\)/,
  );
  await expect(merge(pair("more"), "x3")).rejects.toThrow(/1 id differs \(id 2 is nothing there and "<chat>" here\).*--tokenizer/);
  const report = await merge(pair("more", { tokenizer: "more" }), "chosen");
  expect(report).toMatchObject({ tokenizer: at("more"), notes: [expect.stringContaining("1 id differs")] });
  for (const file of ["tokenizer.json", "generation_config.json"])
    expect(readFileSync(join(at("chosen"), file), "utf8")).toBe(readFileSync(join(at("more"), file), "utf8"));
  expect(existsSync(join(at("chosen"), "tokenizer_config.json"))).toBe(false);
  expect((await merge(pair("cut"), "x4", { dryRun: true })).notes).toEqual([expect.stringContaining("cuts text in another way")]);
  expect((await merge(pair("b"), "x5", { dryRun: true })).notes).toEqual([expect.stringContaining("b has no tokenizer.json")]);
  await expect(merge({ ...pair("huge"), tokenizer: "huge" }, "x6")).rejects.toThrow(
    /huge: expected tokens for \d+ rows, and one has the id 100000/,
  );
  await expect(merge({ ...pair("b"), tokenizer: "elsewhere" }, "x7")).rejects.toThrow(/tokenizer: expected one of/);
  expect(readdirSync(folder).filter((name) => /^\.|^x\d/.test(name))).toEqual([]);
});

test("copies of a tied head are passed over; tied and untied models are not merged", async () => {
  const tied = fixture("gemma3");
  const weights = openSafetensors(join(tied, "model.safetensors"));
  const copy = new Map(weights.names.map((name) => [name, weights.read(name)]));
  copy.set("lm_head.weight", weights.read("model.embed_tokens.weight").mul(7));
  variant("copied", tied, {});
  writeSafetensors(join(at("copied"), "model.safetensors"), copy);
  expect(weights.names).not.toContain("lm_head.weight");
  for (const [i, models] of [
    [tied, "copied"],
    ["copied", tied],
  ].entries()) {
    await merge({ method: "slerp", models: models as [string, string], t: 0.5 }, `tied${i}`);
    const merged = openSafetensors(join(at(`tied${i}`), "model.safetensors"));
    expect([...merged.names].sort()).toEqual([...weights.names].sort());
    for (const name of merged.names) close(merged.read(name), weights.read(name), name);
  }
});

test("stopped or failing in the midst: nothing is left, and what was there stays", async () => {
  const abort = new AbortController();
  const stop = { signal: abort.signal, onTensor: (done: number) => done === 5 && abort.abort() } as unknown as MergeOptions;
  await expect(merge(ab, "stopped", stop)).rejects.toThrow(/abort/);
  await merge(ab, "kept");
  const before = readFileSync(join(at("kept"), "model.safetensors.index.json"));
  const fail = () => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  };
  await expect(
    merge({ ...ab, maxShardBytes: 1000 }, "kept", { overwrite: true, onTensor: (done) => done === 9 && fail() } as MergeOptions),
  ).rejects.toThrow(/ENOSPC/);
  expect(readFileSync(join(at("kept"), "model.safetensors.index.json")).equals(before)).toBe(true);
  await merge({ ...ab, maxShardBytes: 1e9 }, "kept", { overwrite: true });
  expect(readdirSync(at("kept")).filter((file) => file.includes("safetensors"))).toEqual(["model.safetensors"]);
  expect(readdirSync(folder).filter((name) => name.startsWith(".") || name === "stopped")).toEqual([]);
});

test("only a model is overwritten, and never one that is merged", async () => {
  mkdirSync(at("thesis"));
  appendFileSync(join(at("thesis"), "chapter.txt"), "years of work");
  await expect(merge(ab, "thesis", { overwrite: true })).rejects.toThrow(/a model or an adapter to overwrite/);
  await expect(merge(ab, "b", { overwrite: true })).rejects.toThrow(/another folder than those that are read/);
});

test("settings that say nothing for a tensor, and weights without a sum, are told before anything is written", async () => {
  const t = [{ filter: "mlp", value: 0.5 }];
  await expect(merge({ method: "slerp", models: ["a", "b"], t }, "none")).rejects.toThrow(/t: expected a case that fits model\./);
  const models = [{ path: "a" }, { path: "b", weight: -1 }];
  await expect(merge({ method: "linear", models }, "none")).rejects.toThrow(/weight: expected a sum that is not zero/);
  expect(existsSync(at("none"))).toBe(false);
});
