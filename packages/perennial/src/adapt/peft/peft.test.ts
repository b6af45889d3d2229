import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dtype, manualSeed, openSafetensors, torch, writeSafetensors } from "@perennial/torch";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, openWeights, saveModel, toTheirs, weightsOf } from "../../model/index.ts";
import { type LoraAdapter, loraDelta, mergeAdapter, mergeAdapterFolder, readAdapter, unmergeAdapterFolder, writeAdapter } from "./index.ts";

const golden = (name: string) => new URL(`./golden/${name}`, import.meta.url).pathname;
const base = (name: string) => new URL(`../../model/golden/${name}`, import.meta.url).pathname;
/** The model that an adapter is for. */
const baseOf = (name: string) => base(readAdapter(golden(name)).rawConfig.base_model_name_or_path as string);
const cases = readdirSync(golden("."));
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-peft-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const untying = new Set(["norms", "untied-rows", "untied-head"]);
test.each(cases.filter((name) => !untying.has(name)))("%s: merged in memory equals PEFT's; unmerging restores every bit", (name) => {
  const { model } = loadModel(baseOf(name));
  const before = new Map([...model.stateDict()].map(([key, value]) => [key, value.detach().clone()]));
  const expected = openSafetensors(join(golden(name), "merged.safetensors"));
  const merged = mergeAdapter(model, readAdapter(golden(name)));
  const theirs = toTheirs(weightsOf(model.config), model.stateDict());
  const untouched = toTheirs(weightsOf(model.config), before);
  for (const [key, value] of theirs) {
    if (expected.names.includes(key)) expect(value.isClose(expected.read(key), { relative: 1e-5, absolute: 1e-6 }), key).toBe(true);
    else expect(value.equal(untouched.get(key)!), key).toBe(true);
  }
  expect(expected.names.filter((key) => !theirs.has(key))).toEqual([]);
  merged.unmerge();
  for (const [key, value] of model.stateDict()) expect(value.equal(before.get(key)!), key).toBe(true);
});

test.each(cases)("%s: a merged folder equals PEFT's and loads; unmerging it gives the base, file by file", async (name) => {
  const source = baseOf(name);
  const report = await mergeAdapterFolder(source, golden(name), at(name), { reversible: true });
  const expected = openSafetensors(join(golden(name), "merged.safetensors"));
  const [merged, original] = [at(name), source].map(openWeights);
  const isTied = JSON.parse(readFileSync(join(at(name), "config.json"), "utf8")).tie_word_embeddings === true;
  expect(isTied && untying.has(name)).toBe(false);
  expect(report.untied).toBe(untying.has(name));
  for (const key of merged!.names) {
    if (expected.names.includes(key))
      expect(
        merged!.read(key).isClose(expected.read(key).to(merged!.describe(key).dtype as Dtype), { relative: 1e-5, absolute: 1e-6 }),
        key,
      ).toBe(true);
    else if (key !== "lm_head.weight" || !report.untied) expect(merged!.read(key).equal(original!.read(key)), key).toBe(true);
    else expect(merged!.read(key).equal(original!.read("model.embed_tokens.weight"))).toBe(true);
  }
  expect(expected.names.filter((key) => !merged!.names.includes(key) && key !== "lm_head.weight")).toEqual([]);
  loadModel(at(name));
  const back = await unmergeAdapterFolder(at(name), at(`${name}-back`), { adapter: golden(name) });
  expect(back).toMatchObject({ exact: true });
  const restored = openWeights(at(`${name}-back`));
  expect([...restored.names].sort()).toEqual([...original!.names].sort());
  for (const key of restored.names) expect(restored.read(key).equal(original!.read(key)), key).toBe(true);
  expect(readFileSync(join(at(`${name}-back`), "config.json"), "utf8")).toBe(readFileSync(join(source, "config.json"), "utf8"));
});

test.each(cases)("%s: what is written is what was read", (name) => {
  const target = at(`${name}-adapter`);
  writeAdapter(target, readAdapter(golden(name)));
  expect(JSON.parse(readFileSync(join(target, "adapter_config.json"), "utf8"))).toEqual(
    JSON.parse(readFileSync(join(golden(name), "adapter_config.json"), "utf8")),
  );
  const [written, reference] = [target, golden(name)].map((path) => openSafetensors(join(path, "adapter_model.safetensors")));
  expect([...written!.names].sort()).toEqual([...reference!.names].sort());
  for (const key of written!.names) expect(written!.read(key).equal(reference!.read(key)), key).toBe(true);
});

/** An adapter for the q and v projections of the qwen3 fixture, of any size of change. */
function randomAdapter(seed: number, rank: number, size: number): LoraAdapter {
  manualSeed(seed);
  const modules = ["q_proj", "v_proj"].map((part) => {
    const [out, inputs] = openWeights(base("qwen3")).describe(`model.layers.1.self_attn.${part}.weight`).shape as [number, number];
    const [a, b] = [torch.randn([rank, inputs]).mul(size), torch.randn([out, rank])];
    return [`model.layers.1.self_attn.${part}`, { a, b, kind: "linear" }] as const;
  });
  return { rawConfig: { r: rank, lora_alpha: 2 * rank }, modules: new Map(modules), saved: new Map() };
}

test("merge, then unmerge, is the identity on every bit, in every type, whatever the adapter", async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Dtype>("float32", "float16", "bfloat16"),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(0, 1e-9, 1e-3, 1, 1e4),
      fc.integer({ min: 0, max: 1e6 }),
      async (dtype, rank, size, seed) => {
        const { model, rawConfig } = loadModel(base("qwen3"));
        const [own, tuned, merged, back] = ["own", "lora", "merged", "back"].map((name) => at(`property-${round}-${name}`)) as [
          string,
          string,
          string,
          string,
        ];
        round++;
        saveModel(own, model, { rawConfig, dtype, maxShardBytes: 40_000 });
        writeAdapter(tuned, randomAdapter(seed, rank, size));
        await mergeAdapterFolder(own, tuned, merged, { reversible: true });
        await unmergeAdapterFolder(merged, back);
        for (const file of readdirSync(own)) {
          const [before, after] = [own, back].map((where) => readFileSync(join(where, file)));
          if (file.endsWith(".index.json")) expect(JSON.parse(after!.toString())).toEqual(JSON.parse(before!.toString()));
          else expect(after!.equals(before!), file).toBe(true);
        }
      },
    ),
    { numRuns: 12 },
  );
});

test("without what was kept there is no exact way back; subtracting comes near", async () => {
  const adapter = at("near-lora");
  writeAdapter(adapter, randomAdapter(1, 4, 0.1));
  await mergeAdapterFolder(base("qwen3"), adapter, at("near"));
  await expect(unmergeAdapterFolder(at("near"), at("near-back"))).rejects.toThrow(/merge with --reversible keeps/);
  expect(await unmergeAdapterFolder(at("near"), at("near-back"), { adapter, approximate: true })).toMatchObject({ exact: false });
  const [near, exact] = [at("near-back"), base("qwen3")].map(openWeights);
  for (const key of exact!.names) expect(near!.read(key).isClose(exact!.read(key), { absolute: 1e-6 }), key).toBe(true);
  await mergeAdapterFolder(base("phi3"), golden("phi3"), at("lost"));
  await expect(unmergeAdapterFolder(at("lost"), at("none"), { adapter: golden("phi3"), approximate: true })).rejects.toThrow(
    /replaces lm_head/,
  );
});

test("weights that changed after the merge, and another adapter, are noticed", async () => {
  await mergeAdapterFolder(base("qwen3"), golden("qwen3"), at("trained"), { reversible: true });
  await expect(unmergeAdapterFolder(at("trained"), at("none"), { adapter: golden("dora") })).rejects.toThrow(
    /dora: expected the adapter that was merged/,
  );
  const file = join(at("trained"), "model.safetensors");
  const reader = openSafetensors(file);
  const changed = new Map(reader.names.map((name) => [name, reader.read(name).add(name.includes("q_proj") ? 1e-3 : 0)]));
  writeSafetensors(file, changed, { format: "pt" });
  await expect(unmergeAdapterFolder(at("trained"), at("none"))).rejects.toThrow(
    /q_proj.weight: expected the weights as the merge left them/,
  );
  expect(existsSync(at("none"))).toBe(false);
});

test("s is α/r, or α/√r rank-stabilized; a pattern overrides α", () => {
  const module = { a: torch.ones([4, 3]), b: torch.ones([2, 4]), kind: "linear" } as const; // B A = 4 everywhere
  const delta = (rawConfig: Record<string, unknown>) =>
    loraDelta(
      { rawConfig: { lora_alpha: 8, ...rawConfig }, modules: new Map([["model.layers.11.mlp.up_proj", module]]), saved: new Map() },
      "model.layers.11.mlp.up_proj",
    );
  expect(delta({}).toArray()).toEqual([
    [8, 8, 8],
    [8, 8, 8],
  ]);
  expect(delta({ use_rslora: true }).at(0, 0).item()).toBe(16);
  expect(
    delta({ alpha_pattern: { "layers.1.mlp.up_proj": 100, up_proj: 2 } })
      .at(0, 0)
      .item(),
  ).toBe(2);
  expect(delta({ fan_in_fan_out: true }).shape).toEqual([3, 2]);
});

test("other adapters, and adapters of other models, are refused; the model stays as it was", async () => {
  const changed = (change: Record<string, unknown>, from = "qwen3") => {
    const target = at(`bad-${Object.keys(change)[0]}-${from}`);
    cpSync(golden(from), target, { recursive: true });
    const config = JSON.parse(readFileSync(join(target, "adapter_config.json"), "utf8"));
    writeFileSync(join(target, "adapter_config.json"), JSON.stringify({ ...config, ...change }));
    return target;
  };
  expect(() => readAdapter(changed({ use_dora: true }))).toThrow(/a lora_magnitude_vector, as use_dora says/);
  expect(() => readAdapter(changed({ use_dora: false }, "dora"))).toThrow(/no lora_magnitude_vector, as use_dora says/);
  expect(() => readAdapter(changed({ use_dora: true }, "untied-rows"))).toThrow(/lora_magnitude_vector/);
  expect(() => readAdapter(changed({ layer_replication: [[0, 2]] }))).toThrow(/layer_replication: expected null.*Merge it with PEFT/);
  expect(() => readAdapter(changed({ peft_type: "IA3" }))).toThrow(/peft_type: expected "LORA", received "IA3"/);
  expect(() => readAdapter(changed({ r: 0 }))).toThrow(/ r: expected a positive number/);
  expect(() => readAdapter(changed({ r: 7 }, "gpt2"))).toThrow(
    /c_attn: expected the rank 7 of adapter_config.json \(r, or rank_pattern\), received 2/,
  );
  expect(() => readAdapter(changed({ alpha_pattern: { "(": 3 } }))).toThrow(
    /alpha_pattern: expected regular expressions, and "\(" is none/,
  );
  expect(() => readAdapter(at("nothing"))).toThrow(/adapter_config.json: expected a PEFT adapter/);
  const empty = changed({ inference_mode: true });
  rmSync(join(empty, "adapter_model.safetensors"));
  expect(() => readAdapter(empty)).toThrow(/adapter_model.safetensors: expected the adapter's weights, and there is no such file/);
  const { model } = loadModel(base("qwen2"));
  const before = [...model.stateDict().values()].map((value) => value.detach().clone());
  expect(() => mergeAdapter(model, readAdapter(golden("qwen3")))).toThrow(/expected \[.*\] as the adapter changes it, received \[/);
  expect(() => mergeAdapter(model, readAdapter(golden("gpt2")))).toThrow(/There is no weight "transformer.h.0/);
  for (const [i, value] of [...model.stateDict().values()].entries()) expect(value.equal(before[i]!)).toBe(true);
  expect(() => mergeAdapter(loadModel(base("qwen3")).model, readAdapter(golden("untied-rows")))).toThrow(/one matrix for both/);
  await expect(mergeAdapterFolder(base("qwen2"), golden("qwen3"), at("none"))).rejects.toThrow(/as the adapter changes it/);
  await expect(mergeAdapterFolder(base("llama2"), golden("bias-of-b"), at("none"))).rejects.toThrow(/k_proj.*(received|as the adapter)/);
  await expect(mergeAdapterFolder("model.gguf", golden("qwen3"), at("none"))).rejects.toThrow(/perennial import/);
  expect(readdirSync(folder).filter((name) => name === "none" || name.startsWith("."))).toEqual([]);
});
