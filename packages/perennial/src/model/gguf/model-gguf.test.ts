import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors, scope } from "@perennial/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WrittenType } from "../../gguf/index.ts";
import { type DecoderConfig, fromHuggingFace, generate, loadModel, readConfig, saveModel, writeGgufModel } from "../index.ts";
import { weightShapes } from "../shapes.ts";
import { fixtures, lengthOf, makeFixture, namedIds, promptOf } from "./testing/fixtures.ts";

// Written by tools/golden/gguf-llama-cpp.ts: the files that llama.cpp was shown, and how it went on.
const golden: Record<string, Record<WrittenType, { sha256: string; ids: number[] }>> = JSON.parse(
  readFileSync(new URL("./golden/llama-cpp.json", import.meta.url), "utf8"),
);
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-gguf-model-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Single precision keeps seven digits; which layers have a window says nothing where there is none. */
const rounded = (config: DecoderConfig) =>
  JSON.parse(
    JSON.stringify({ ...config, slidingLayers: config.slidingWindow === null ? null : config.slidingLayers }, (_, value) =>
      typeof value === "number" ? Number(value.toPrecision(6)) : value,
    ),
  );
/** How the entries alone say it. */
const differently: Readonly<Record<string, Partial<Record<keyof DecoderConfig, unknown>>>> = {
  "llama-dynamic": { ropeScaling: null },
  "neox-sequential": { activation: "gelu" },
  llama3: { ropeScaling: expect.objectContaining({ type: "longrope", attentionFactor: 1 }) },
};

const dtypes = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

describe.each(fixtures.map((fixture) => [fixture.name, fixture] as const))("%s", (name, fixture) => {
  let source: string;
  const file = (type: WrittenType) => join(folder, `${name}.${type}.gguf`);
  beforeAll(() => {
    source = makeFixture(fixture, folder);
  });

  test.each(["F32", "F16", "BF16", "Q8_0"] as const)("llama.cpp continues the %s file as we do", (type) => {
    writeGgufModel(source, file(type), { type, name, tokenizer: namedIds(source) });
    const { sha256: shown, ids } = golden[name]![type];
    expect(sha256(file(type)), "the file is not the one that llama.cpp was shown: run tools/golden/gguf-llama-cpp.ts again").toBe(shown);
    const agreed = fixture.apart?.[type] ?? lengthOf(fixture);
    const [ours] = generate(loadModel(file(type)).model, [promptOf(fixture)], { maxNewTokens: lengthOf(fixture) });
    expect(ours!.slice(0, agreed)).toEqual(ids.slice(0, agreed));
  });

  test("the configuration comes back, from what was stored of it and from the entries alone", () => {
    const stored = readConfig(file("F32"));
    expect(stored).toEqual(readConfig(source));
    const path = join(folder, `${name}.bare.gguf`);
    writeBare(file("F32"), path);
    const read = readConfig(path).config;
    // What GGUF has no key for, and the ids of `namedIds`.
    const lost = { initializerRange: 0.02, bosTokenId: 1, eosTokenIds: [0], padTokenId: null, ...differently[name] };
    expect(rounded(read)).toEqual({ ...rounded(stored.config), ...lost });
    // The config.json that is made of it says the same, and so do the weights.
    const loaded = loadModel(path);
    expect(rounded(fromHuggingFace(loaded.rawConfig))).toEqual(rounded(read));
    const prompt = [promptOf(fixture)];
    expect(generate(loaded.model, prompt, { maxNewTokens: 8 })).toEqual(generate(loadModel(source).model, prompt, { maxNewTokens: 8 }));
  });

  test.each(Object.entries(dtypes))("%s: every weight comes back to the bit in a Hugging Face folder", (type, dtype) => {
    const saved = join(folder, `${name}-${dtype}`);
    const { model, rawConfig } = loadModel(source);
    saveModel(saved, model, { dtype, rawConfig });
    const path = join(folder, `${name}.round.gguf`);
    writeGgufModel(saved, path, { type: type as WrittenType, name });
    const back = join(folder, `${name}-${dtype}-back`);
    const loaded = loadModel(path);
    saveModel(back, loaded.model, { dtype, rawConfig: loaded.rawConfig });
    expect(readFileSync(join(back, "config.json"), "utf8")).toBe(readFileSync(join(saved, "config.json"), "utf8"));
    scope(() => {
      const [before, after] = [saved, back].map((path) => openSafetensors(join(path, "model.safetensors")));
      expect([...after!.names].sort()).toEqual([...before!.names].sort());
      for (const tensor of before!.names) {
        const [was, is] = [before!.read(tensor), after!.read(tensor)];
        // Gemma's files hold 1 + w in single precision: of w itself, the bits below 2⁻²⁴ are lost.
        if (name.startsWith("gemma") && tensor.endsWith("norm.weight") && type !== "BF16")
          expect(is.sub(was).abs().max().item(), tensor).toBeLessThanOrEqual(type === "F32" ? 2 ** -23 : 2 ** -11);
        else expect(is.equal(was), tensor).toBe(true);
      }
      before!.close();
      after!.close();
    });
  });

  test("names and shapes of its weights, without a decoder", () => {
    const { model } = loadModel(source);
    expect([...weightShapes(model.config)]).toEqual([...model.stateDict()].map(([weight, { shape }]) => [weight, shape]));
  });
});

test("numbers that no file can keep are refused before memory is taken for them", () => {
  const source = makeFixture({ name: "damaged", family: "llama2" }, folder);
  const path = join(folder, "damaged.gguf");
  const damage = (key: string, value: number) => {
    writeGgufModel(source, path, { type: "F32", name: "damaged" });
    writeBare(path, path);
    const bytes = readFileSync(path);
    // key · type u32 · value u32
    bytes.writeUInt32LE(value, bytes.indexOf(key) + key.length + 4);
    writeFileSync(path, bytes);
    return () => loadModel(path);
  };
  expect(damage("llama.block_count", 2 ** 32 - 1)).toThrow(/damaged.gguf llama.block_count: expected a number of layers for 21 tensors/);
  expect(damage("llama.feed_forward_length", 2 ** 31)).toThrow(/damaged.gguf: the configuration asks for \d+ weights but there are \d+/);
  expect(damage("llama.embedding_length", 0)).toThrow(/hiddenSize: expected a positive integer/);
});

/** The same file without what is there for us alone. */
function writeBare(from: string, to: string): void {
  const bytes = readFileSync(from);
  // Renamed, not removed: the entry stays, and nobody asks for it.
  const at = bytes.indexOf("perennial.config");
  bytes.write("perennial.nofnig", at);
  writeFileSync(to, bytes);
}
