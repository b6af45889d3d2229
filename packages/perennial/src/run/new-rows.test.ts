/** An extended vocabulary in a run: what it is learnt from, rows of new tokens apart from the rest, cut runs, several processes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { manualSeed, setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { heldOutHash } from "../data/index.ts";
import { Decoder, decoderConfig, loadModel, saveModel } from "../model/index.ts";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath } from "../store/index.ts";
import { extensionOf, loadTokenizer } from "../tokenizer/index.ts";
import { trainTokenizer } from "../tokenizer/train.ts";
import { launch } from "../train/launch.ts";
import { type RunOptions, runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(async () => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-rows-"));
  writeTinyCorpora(folder);
  const { tokenizer } = await trainTokenizer(["the sea is blue and deep"], { vocabSize: 262, specialTokens: ["<|endoftext|>"] });
  manualSeed(4);
  const shape = { hiddenSize: 32, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32, tieWordEmbeddings: false };
  const { eos } = tokenizer.specialTokens;
  saveModel(join(folder, "base"), new Decoder(decoderConfig({ ...shape, vocabSize: tokenizer.vocabSize, eosTokenIds: [eos!] })), {});
  await tokenizer.save(join(folder, "base"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Train = NonNullable<RecipeSpec["train"]>;

const extending = (output: string, [first, second]: [Train["newRows"], Train["newRows"]]): RecipeSpec => {
  const { rules: _, ...stage } = tinyRecipe(output).stages[1]!;
  return tinyRecipe(output, {
    model: "base",
    tokenizer: { extend: { newTokens: 30, corpora: ["new"], keep: ["old"] } },
    train: {
      ...{ steps: 5, sequenceLength: 24, microBatchSize: 1, tokensPerStep: 48, autocastDtype: "float32" },
      schedule: { schedule: "inverse-sqrt", maxLearningRate: 4e-3, warmupSteps: 2 },
    },
    stages: [
      { ...stage, name: "first", train: { newRows: first } },
      { ...stage, name: "second", train: { newRows: second }, onStart: { optimizer: "keep" } },
    ],
    evaluate: { everySteps: "never", maxTokensPerCorpus: 300, bootstrapResamples: 0 },
    checkpoints: { everySteps: 2 },
  });
};
const run = async (recipe: RecipeSpec, options: Partial<RunOptions> = {}) =>
  (await runRecipe(resolveRecipe(recipe), { baseFolder: folder, ...options }))[0]!;
const weights = (path: string) => loadModel(join(folder, path)).model.stateDict();
const hash = async (output: string) => (await hashPath(join(folder, output, "main/model"))).hash;

test("new rows first, then everything: wherever the run is cut, it ends with the same model", async () => {
  const rows: Parameters<typeof extending>[1] = [{ aloneSteps: "all" }, { aloneSteps: 3, learningRateScale: 4 }];
  await run(extending("whole", rows));
  const tokenizer = await loadTokenizer(join(folder, "whole/main/model"));
  const { oldVocabSize, newVocabSize } = extensionOf(tokenizer)!;
  expect(newVocabSize).toBeGreaterThan(oldVocabSize);
  const [base, afterFirst, end] = [weights("base"), weights("whole/main/models/first"), weights("whole/main/model")];
  for (const [name, weight] of afterFirst) {
    const isTable = name === "embedTokens.weight" || name === "lmHead.weight";
    expect((isTable ? weight.slice(0, 0, oldVocabSize) : weight).equal(base.get(name)!), name).toBe(true);
    expect(end.get(name)!.equal(weight), name).toBe(false);
    if (isTable) expect(weight.slice(0, oldVocabSize).equal(end.get(name)!.slice(0, oldVocabSize))).toBe(false);
  }
  for (const until of [3, 5, 8, 9]) {
    const output = `cut ${until}`;
    expect((await run(extending(output, rows), { until })).result.status).toBe("stopped");
    expect((await run(extending(output, rows), { resume: true })).result.status).toBe("finished");
    expect(await hash(output), output).toBe(await hash("whole"));
  }
});

test("a rate like all others' is no rate of its own, to the bit; another one changes the model", async () => {
  await run(extending("plain", [null, null]));
  await run(extending("same", [{ learningRateScale: 1 }, null]));
  await run(extending("faster", [{ learningRateScale: 2 }, null]));
  expect(await hash("same")).toBe(await hash("plain"));
  expect(await hash("faster")).not.toBe(await hash("plain"));
});

test("two processes learn one vocabulary and train its rows as one process does", async () => {
  const rows: Parameters<typeof extending>[1] = [{ aloneSteps: 3, learningRateScale: 2 }, null];
  await run(extending("alone", rows));
  const path = join(folder, "pair.json");
  writeFileSync(path, JSON.stringify(extending("pair", rows)));
  const child = fileURLToPath(new URL("../train/data-parallel.conformance.ts", import.meta.url));
  let problems = "";
  const { exitCode } = await launch({
    ...{ processes: 2, command: process.execPath, args: ["--conditions", "source", "--import", "tsx", child, folder, path] },
    environment: { ...process.env, NODE_OPTIONS: "", OMP_NUM_THREADS: "1" },
    out: () => {},
    err(text) {
      problems += text;
    },
  });
  expect([exitCode, problems]).toEqual([0, ""]);
  const [one, two] = ["alone", "pair"].map((output) => weights(`${output}/main/model`));
  for (const [name, weight] of one!) expect(weight.sub(two!.get(name)!).abs().max().item(), name).toBeLessThan(1e-4);
});

test("a model whose tokenizer knows no new tokens has no new rows", async () => {
  const recipe = { ...extending("refused", [{ aloneSteps: 1 }, null]), tokenizer: "model" };
  await expect(run(recipe)).rejects.toThrow(/stages\[0\]\.train\.newRows: expected a tokenizer that knows its new tokens/);
  expect(() => resolveRecipe({ ...recipe, tokenizer: "bytes" })).toThrow(/stages\[0\]\.train\.newRows/);
});

test.each([{ share: 0.1 }, { bytes: 2000 }])("a vocabulary learns nothing from text that is held out (%j)", async (heldOut) => {
  const word = (i: number) => `w${"bcdfghjklmnp"[i % 12]}${"bcdfghjklmnp"[Math.floor(i / 12) % 12]}qx`;
  const documents = Array.from({ length: 144 }, (_, i) => `${word(i)} `.repeat(4) + i);
  const name = `corpus ${JSON.stringify(heldOut)}`;
  writeFileSync(join(folder, `${name}.jsonl`), documents.map((text) => JSON.stringify({ text })).join("\n"));
  const recipe: RecipeSpec = {
    ...extending(name, [null, null]),
    tokenizer: { extend: { newTokens: 500, corpora: ["words"] } },
    corpora: { words: { path: `${name}.jsonl`, heldOut } },
    stages: [{ name: "words", mixture: { sources: [{ corpus: "words" }] } }],
    evaluate: { everySteps: "never", maxTokensPerCorpus: 300, bootstrapResamples: 0 },
    generate: { prompts: [] },
  };
  await run(recipe);
  await run({
    ...recipe,
    output: `${name} trained`,
    model: { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 1 },
    tokenizer: { train: { vocabSize: 700 } },
  });
  // Each word stands in one document, so that one that is held out must stay unknown.
  const sorted = [...documents].sort((a, b) => heldOutHash(a) - heldOutHash(b));
  let bytes = 0;
  const isHeldOut = (text: string) => {
    if ("share" in heldOut) return heldOutHash(text) < heldOut.share! * 2 ** 48;
    bytes += Buffer.byteLength(text);
    return bytes - Buffer.byteLength(text) < heldOut.bytes!;
  };
  const trainedOn = new Set(sorted.filter((text) => !isHeldOut(text)).flatMap((text) => text.split(" ")));
  const hidden = new Set(documents.flatMap((text) => text.split(" ")).filter((text) => !trainedOn.has(text) && text.startsWith("w")));
  expect(hidden.size).toBeGreaterThan(0);
  for (const output of [name, `${name} trained`]) {
    const tokenizer = await loadTokenizer(join(folder, output, "main/tokenizer"));
    const whole = (text: string) => tokenizer.encode(` ${text}`, { addSpecialTokens: false }).length === 1;
    expect([...trainedOn].filter(whole).length).toBeGreaterThan(50);
    expect([...hidden].filter(whole)).toEqual([]);
  }
});
