import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors, torch } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, toTheirs, weightsOf } from "../../model/index.ts";
import { loraDelta, mergeAdapter, mergeAdapterFolder, readAdapter, writeAdapter } from "./index.ts";

const golden = (name: string) => new URL(`./golden/${name}`, import.meta.url).pathname;
const base = (name: string) => new URL(`../../model/golden/${name}`, import.meta.url).pathname;
const cases = readdirSync(golden("."));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-peft-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(cases)("%s: merged weights equal PEFT's, in memory and in a folder; unmerging restores every bit", (name) => {
  const { model } = loadModel(base(name));
  const before = new Map([...model.stateDict()].map(([key, value]) => [key, value.detach().clone()]));
  const expected = openSafetensors(join(golden(name), "merged.safetensors"));
  const merged = mergeAdapter(model, readAdapter(golden(name)));
  const output = join(folder, name);
  mergeAdapterFolder(base(name), golden(name), output);
  const fromFolder = loadModel(output).model;
  const theirs = [model, fromFolder].map((one) => toTheirs(weightsOf(one.config), one.stateDict()));
  const untouched = toTheirs(weightsOf(model.config), before);
  for (const weights of theirs)
    for (const [key, value] of weights) {
      if (expected.names.includes(key)) expect(value.isClose(expected.read(key), { relative: 1e-6, absolute: 1e-6 }), key).toBe(true);
      else expect(value.equal(untouched.get(key)!), key).toBe(true);
    }
  expect(expected.names.filter((key) => !theirs[0]!.has(key))).toEqual([]);
  merged.unmerge();
  for (const [key, value] of model.stateDict()) expect(value.equal(before.get(key)!), key).toBe(true);
});

test.each(cases)("%s: what is written is what was read", (name) => {
  const target = join(folder, `${name}-adapter`);
  writeAdapter(target, readAdapter(golden(name)));
  expect(JSON.parse(readFileSync(join(target, "adapter_config.json"), "utf8"))).toEqual(
    JSON.parse(readFileSync(join(golden(name), "adapter_config.json"), "utf8")),
  );
  const [written, reference] = [target, golden(name)].map((path) => openSafetensors(join(path, "adapter_model.safetensors")));
  expect([...written!.names].sort()).toEqual([...reference!.names].sort());
  for (const key of written!.names) expect(written!.read(key).equal(reference!.read(key)), key).toBe(true);
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

test("other adapters, and adapters of other models, are refused; the model stays as it was", () => {
  const changed = (change: Record<string, unknown>) => {
    const target = join(folder, `bad-${Object.keys(change)[0]}`);
    cpSync(golden("qwen3"), target, { recursive: true });
    const config = JSON.parse(readFileSync(join(target, "adapter_config.json"), "utf8"));
    writeFileSync(join(target, "adapter_config.json"), JSON.stringify({ ...config, ...change }));
    return target;
  };
  expect(() => readAdapter(changed({ use_dora: true }))).toThrow(/use_dora: expected false, received true/);
  expect(() => readAdapter(changed({ peft_type: "IA3" }))).toThrow(/peft_type: expected "LORA", received "IA3"/);
  expect(() => readAdapter(changed({ r: 0 }))).toThrow(/ r: expected a positive number/);
  expect(() => readAdapter(join(folder, "nothing"))).toThrow(/adapter_config.json: expected a PEFT adapter/);
  const { model } = loadModel(base("qwen2"));
  const before = [...model.stateDict().values()].map((value) => value.detach().clone());
  expect(() => mergeAdapter(model, readAdapter(golden("qwen3")))).toThrow(/: the model has \[.*\], the adapter \[/);
  expect(() => mergeAdapter(model, readAdapter(golden("gpt2")))).toThrow(/There is no weight "transformer.h.0/);
  for (const [i, value] of [...model.stateDict().values()].entries()) expect(value.equal(before[i]!)).toBe(true);
});
