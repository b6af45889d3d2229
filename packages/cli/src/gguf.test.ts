import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed } from "@perennial/torch";
import { Decoder, decoderConfig, saveModel } from "perennial/model";
import { ByteTokenizer } from "perennial/tokenizer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixtures, makeFixture } from "../../perennial/src/model/gguf/testing/fixtures.ts";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "perennial-cli-gguf-"));
  for (const name of ["llama2", "mistral", "falcon"]) makeFixture(fixtures.find((fixture) => fixture.name === name)!, cwd);
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function perennial(args: string) {
  const effects = memoryEffects({ cwd });
  const code = await main(args.split(" "), effects);
  return { code, out: effects.stdout, err: effects.stderr };
}

test("out to a GGUF file and back to a folder: the same weights and configuration", async () => {
  expect(await perennial("export llama2 llama2.gguf --format gguf --type f32")).toEqual({ code: 0, out: "llama2.gguf\n", err: "" });
  expect(await perennial("import llama2.gguf back --json")).toMatchObject({
    code: 0,
    out: expect.stringContaining('"modelType": "llama"'),
  });
  const [before, after] = ["llama2", "back"].map((folder) => JSON.parse(readFileSync(join(cwd, folder, "config.json"), "utf8")));
  expect(after).toMatchObject(before);
  expect(await perennial("export back again.gguf --format gguf --type f32")).toMatchObject({ code: 0 });
  const data = (path: string) => readFileSync(join(cwd, path)).subarray(-60_000);
  expect(data("again.gguf").equals(data("llama2.gguf"))).toBe(true);
  // From one GGUF file to another.
  expect(await perennial("export llama2.gguf small.gguf --format gguf --type q8_0 --json")).toMatchObject({ code: 0, err: "" });
  expect(await perennial("import small.gguf half --dtype float16")).toMatchObject({ code: 0, out: "half\n" });
});

const RECIPE = `
name: tiny
model: base.gguf
output: run
corpora:
  new: { path: new.jsonl, heldOut: { share: 0.1 } }
train: { steps: 4, sequenceLength: 32, microBatchSize: 2, schedule: { schedule: constant, maxLearningRate: 1.0e-2 } }
stages:
  - { name: new, mixture: { sources: [{ corpus: new }] } }
evaluate: { everySteps: 4, maxTokensPerCorpus: 500, bootstrapResamples: 20 }
`;

test("a GGUF file is a base model: generate, evaluate, train, and out again", async () => {
  manualSeed(1);
  const model = new Decoder(decoderConfig({ vocabSize: 320, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, eosTokenIds: [1] }));
  saveModel(join(cwd, "base"), model);
  await new ByteTokenizer().save(join(cwd, "base"));
  expect(await perennial("export base base.gguf --format gguf --type f32")).toMatchObject({ code: 0, err: "" });
  const lines = Array.from({ length: 60 }, (_, i) => JSON.stringify({ text: `itsasoa urdina da ${i} `.repeat(3) }));
  writeFileSync(join(cwd, "new.jsonl"), lines.join("\n"));
  writeFileSync(join(cwd, "tiny.yaml"), RECIPE);
  for (const verb of ["generate MODEL --prompt sea --temperature 0 --max-new-tokens 8", "evaluate MODEL new=new.jsonl --json"]) {
    const [file, folder] = [await perennial(verb.replace("MODEL", "base.gguf")), await perennial(verb.replace("MODEL", "base"))];
    expect(file).toEqual(folder);
    expect(file.code).toBe(0);
  }
  expect(await perennial("train tiny.yaml --quiet")).toMatchObject({ code: 0, out: expect.stringContaining("report  run/report.html") });
  expect(await perennial("export run/main/model trained.gguf --format gguf")).toMatchObject({ code: 0, err: "" });
  expect(await perennial("generate trained.gguf --prompt sea --max-new-tokens 8")).toMatchObject({ code: 0, err: "" });
});

test("what llama.cpp does in another way is told", async () => {
  const { code, err } = await perennial("export mistral mistral.gguf --format gguf");
  expect(code).toBe(0);
  expect(err).toBe("note: llama.cpp has no sliding window for llama: beyond 8 tokens it attends to more than this model was trained to\n");
  const { out } = await perennial("export mistral other.gguf --format gguf --json");
  expect(JSON.parse(out)).toMatchObject({ format: "gguf", differences: [expect.stringContaining("sliding window")] });
});

test("wrong use: one line that says what to do, nothing half-written", async () => {
  const fails = async (args: string, expected: RegExp) => {
    const { code, out, err } = await perennial(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(expected);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  };
  writeFileSync(join(cwd, "empty.gguf"), "");
  writeFileSync(join(cwd, "there.gguf"), "mine");
  await fails("import empty.gguf new", /empty.gguf \(byte 0\) magic: expected 4 more bytes/);
  await fails("import nothing.gguf new", /nothing.gguf: expected a GGUF file. Check the path of the model/);
  await fails("import llama2 new", /llama2: expected a file that ends with .gguf. A Hugging Face folder needs no import/);
  await fails("import there.gguf llama2", /llama2: expected a folder that does not exist or is empty/);
  await fails("export llama2 there.gguf --format gguf", /there.gguf: expected a path that does not exist/);
  await fails("export llama2 new.gguf --format gguf --type q3_k", /--type: expected one of f32, f16, bf16, q8_0, received "q3_k"/);
  await fails("export llama2 new.gguf --format gguf --dtype float16", /--dtype: expected nothing, with --format gguf.*Use --type/);
  await fails("export llama2 new --type f16", /--type: expected nothing, with --format huggingface.*Use --dtype/);
  await fails("export llama2 new --format onnx", /--format: expected huggingface or gguf, received "onnx"/);
  await fails("export nothing new.gguf --format gguf", /nothing\/config.json: expected a Hugging Face model folder/);
  writeFileSync(
    join(cwd, "falcon/config.json"),
    readFileSync(join(cwd, "falcon/config.json"), "utf8").replace('"alibi":false', '"alibi":true'),
  );
  await fails(
    "export falcon new.gguf --format gguf",
    /falcon position: expected "rotary", which is all that llama.cpp computes for falcon/,
  );
  expect(existsSync(join(cwd, "new"))).toBe(false);
  expect(readFileSync(join(cwd, "there.gguf"), "utf8")).toBe("mine");
  expect(readdirSync(cwd).filter((name) => /partial|tmp/.test(name))).toEqual([]);
});
