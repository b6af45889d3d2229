/** The verbs that compute, end to end on a model of 30,000 weights: what a user types, sees and finds on the disk. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setNumThreads } from "@perennial/torch";
import { hashPath } from "perennial/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

let cwd: string;

const RECIPE = `
name: tiny
seed: 3
model: { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 32 }
tokenizer: { train: { vocabSize: 300 } }
corpora:
  old: { path: old.jsonl, heldOut: { share: 0.1 } }
  new: { path: new.jsonl, heldOut: { share: 0.1 } }
train: { steps: 6, sequenceLength: 32, microBatchSize: 2, schedule: { schedule: constant, maxLearningRate: 1.0e-2 } }
stages:
  - name: new
    mixture: { sources: [{ corpus: new }], replay: { corpora: [old], share: 0.25 } }
evaluate: { everySteps: 4, maxTokensPerCorpus: 500, bootstrapResamples: 20 }
checkpoints: { everySteps: 3 }
baselines:
  - { name: naive, set: { stages.*.mixture.replay: null } }
`;

beforeAll(() => {
  setNumThreads(1);
  cwd = mkdtempSync(join(tmpdir(), "perennial-verbs-"));
  const text = (words: string) => Array.from({ length: 60 }, (_, i) => JSON.stringify({ text: `${words} ${i} `.repeat(3) })).join("\n");
  writeFileSync(join(cwd, "old.jsonl"), text("the sea is blue"));
  writeFileSync(join(cwd, "new.jsonl"), text("itsasoa urdina da"));
  writeFileSync(join(cwd, "tiny.yaml"), RECIPE);
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function perennial(...args: string[]) {
  const effects = memoryEffects({ cwd });
  const code = await main(args, effects);
  return { code, out: effects.stdout, err: effects.stderr };
}

const modelHash = async (folder: string) => (await hashPath(join(cwd, folder, "model"))).hash;

describe("train", () => {
  test("ends with a table and a report; a second run on top is refused; a third resumes to nothing", async () => {
    const { code, out, err } = await perennial("train", "tiny.yaml", "--set", "output=whole");
    expect(code).toBe(0);
    expect(out).toMatch(/^\nbits per byte +old before +after +change +new before +after +change\nmain .*\nnaive .*\n/);
    expect(out).toContain("report  whole/report.html\n");
    expect(readFileSync(join(cwd, "whole/report.html"), "utf8")).toContain("<!doctype html>");
    expect(err).toMatch(/stage new: 6 steps, 384 tokens\n(.*\n)*after: bits per byte old \d/);
    for (const variant of ["main", "naive"]) expect(existsSync(join(cwd, "whole", variant, "model/model.safetensors"))).toBe(true);
    expect(await perennial("train", "tiny.yaml", "--set", "output=whole")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^perennial: .*whole\/main holds a run already\. Go on with it \(--resume\).*\n$/),
    });
    const again = await perennial("train", "tiny.yaml", "--set", "output=whole", "--resume");
    expect(again.code).toBe(0);
    expect(again.err).toContain("main: finished before");
    expect(again.out).toBe(out);
  });

  test("--until stops, --resume goes on to the very same model; --variant runs one; --quiet shows the result only", async () => {
    const half = await perennial("train", "tiny.yaml", "--set", "output=half", "--variant", "main", "--until", "2");
    expect(half.err).toMatch(/stopped after step 2 as asked\. Run the same command with --resume to go on/);
    expect(half.out).toBe("\nreport  half/report.html\n");
    expect(existsSync(join(cwd, "half/main/model"))).toBe(false);
    const rest = await perennial("train", "tiny.yaml", "--set", "output=half", "--variant", "main", "--resume", "--quiet");
    expect(rest).toMatchObject({ code: 0, err: "" });
    expect(rest.out).toMatch(/^\nbits per byte.*\nmain .*\n\nreport {2}half\/report\.html\n$/);
    expect(await modelHash("half/main")).toBe(await modelHash("whole/main"));
    expect(readdirSync(join(cwd, "half"))).not.toContain("naive");
    expect(await perennial("train", "tiny.yaml", "--set", "output=half", "--variant", "nave")).toMatchObject({
      code: 1,
      err: expect.stringContaining('--variant: expected one of main, naive, received "nave"'),
    });
  });

  test("--json: every line is JSON, a step has its numbers", async () => {
    const { code, out } = await perennial("train", "tiny.yaml", "--set", "output=json", "--variant", "naive", "--json");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    const messages = lines.map((line) => JSON.parse(line) as { type: string; step: number; loss: number });
    const steps = messages.filter(({ type }) => type === "step");
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(steps.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(messages.find((message) => "bitsPerByte" in message)).toMatchObject({ bitsPerByte: { old: expect.any(Number) } });
  });

  test("Ctrl-C finishes the step, saves, leaves with 130; --resume goes on", async () => {
    // The sources, so that a stale build can never pass.
    const entry = fileURLToPath(new URL("./main.ts", import.meta.url));
    const node = ["--conditions=source", "--import", import.meta.resolve("tsx"), entry];
    const args = ["train", "tiny.yaml", "--set", "output=cut", "--set", "train.steps=100000", "--variant", "main", "--json"];
    const child = spawn(process.execPath, [...node, ...args], { cwd, env: { ...process.env, OMP_NUM_THREADS: "1" } });
    let told = "";
    let interrupted = false;
    child.stderr.on("data", (text: Buffer) => {
      told += text.toString();
    });
    child.stdout.on("data", (text: Buffer) => {
      if (!interrupted && text.includes('"type":"step"')) interrupted = child.kill("SIGINT");
    });
    const code = await new Promise((done) => child.on("close", done));
    expect(told).toContain("perennial: finishing the step, then saving; Ctrl-C again to leave at once\n");
    expect(told).toMatch(/interrupted after step \d+\. Run the same command with --resume/);
    expect(code).toBe(130);
    const stopped = Number(/interrupted after step (\d+)/.exec(told)![1]);
    const [, ...rest] = args;
    const resumed = await perennial("train", ...rest, "--resume", "--until", String(stopped + 2));
    const steps = resumed.out.split("\n").filter((line) => line.includes('"type":"step"'));
    expect(steps.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([stopped + 1, stopped + 2]);
  });
});

describe("with a model", () => {
  const model = "whole/main/model";

  test("evaluate: a model of zeros knows nothing, so a byte costs log2 of the vocabulary", async () => {
    const { loadModel, saveModel } = await import("perennial/model");
    const { noGrad } = await import("@perennial/torch");
    const zero = loadModel(join(cwd, model));
    noGrad(() => {
      for (const [, weight] of zero.model.namedParameters()) weight.zero_();
    });
    saveModel(join(cwd, "zero"), zero.model, { rawConfig: zero.rawConfig });
    zero.model.dispose();
    writeFileSync(join(cwd, "zero/tokenizer.json"), readFileSync(join(cwd, model, "tokenizer.json")));
    const { code, out } = await perennial("evaluate", "zero", "sea=old.jsonl", "--json");
    expect(code).toBe(0);
    const [row] = JSON.parse(out) as { corpus: string; bitsPerByte: number; documents: number; bytes: number; targetTokens: number }[];
    expect(row).toMatchObject({ corpus: "sea", documents: 60 });
    // 300 ids, all alike.
    expect(row!.bitsPerByte).toBeCloseTo((Math.log2(300) * row!.targetTokens) / row!.bytes, 5);
    // 3 · ("the sea is blue " and a number and a space): 10 documents with one digit, 50 with two.
    expect(row!.bytes).toBe(3 * (10 * 18 + 50 * 19));
    const shown = await perennial("evaluate", "zero", "old.jsonl");
    expect(shown.out).toMatch(/^text +bits per byte +95 % +perplexity +documents +tokens\nold\.jsonl +\d\.\d{3} .* 300\.00 +60 /);
  });

  test("lineage takes the path as it is seen from here, and tells the text that it came from", async () => {
    const { code, out, err } = await perennial("lineage", model);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^tiny\/new {2}\w{8} {2}.*main\/model {2}made by tiny-\d{8}-\d{6}\n( {2}(data: new|replay: old) .*\n){2}/);
  });

  test("generate: the same seed gives the same text, whatever is asked for at temperature 0", async () => {
    const say = (...options: string[]) => perennial("generate", model, "--prompt", "the sea", "--max-new-tokens", "12", ...options);
    const first = await say("--seed", "7");
    expect(first.out.startsWith("the sea")).toBe(true);
    expect(await say("--seed", "7")).toEqual(first);
    expect((await say("--seed", "8")).out).not.toBe(first.out);
    expect(await say("--temperature", "0", "--seed", "1")).toEqual(await say("--temperature", "0", "--seed", "2"));
    expect((await say("--top-p", "2")).code).toBe(2);
  });

  test("export: asked-for type, loadable again; a target with something in it is refused untouched", async () => {
    expect(await perennial("export", model, "out", "--dtype", "bfloat16")).toEqual({ code: 0, out: "out\n", err: "" });
    const header = readFileSync(join(cwd, "out/model.safetensors")).toString("latin1");
    expect(header).toContain('"BF16"');
    expect(header).not.toContain('"F32"');
    expect((JSON.parse(readFileSync(join(cwd, "out/config.json"), "utf8")) as Record<string, unknown>).model_type).toBe("llama");
    expect((await perennial("evaluate", "out", "old.jsonl")).code).toBe(0);
    expect(await perennial("export", model, "out")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^perennial: .*\/out: expected a folder that does not exist or is empty\. .*\n$/),
    });
    expect((await perennial("export", model, "other", "--dtype", "int8")).err).toContain("--dtype: expected one of");
    expect((await perennial("export", model, "other", "--max-shard-bytes", "many")).code).toBe(2);
    expect(existsSync(join(cwd, "other"))).toBe(false);
  });

  test("tokenizer: learn one, see what text costs", async () => {
    expect(await perennial("tokenizer", "train", "old.jsonl", "new.jsonl", "--vocab-size", "300", "--output", "bpe")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^bpe: 300 tokens from \d+ words, \d+ of them different\n$/),
    });
    const { out } = await perennial("tokenizer", "inspect", "bpe", "sea=old.jsonl");
    expect(out).toMatch(/^text +tokens per word +bytes per token +tokens +bytes\nsea +\d/);
    // Learned from this text, so cheaper than a token for each byte.
    expect(Number(/^sea +\S+ +(\S+)/m.exec(out)![1])).toBeGreaterThan(1.5);
  });

  test("doctor --json describes the installation", async () => {
    const { code, out } = await perennial("doctor", "--json");
    expect(code).toBe(0);
    const diagnosis = JSON.parse(out) as { version: string; float32Flops: number; operators: number };
    expect(diagnosis.version).toMatch(/^\d+\.\d+/);
    expect(diagnosis.float32Flops).toBeGreaterThan(0);
    expect(diagnosis.operators).toBeGreaterThan(1000);
  });
});

describe("an obvious mistake has one line that names it, and leaves nothing behind", () => {
  const mistakes: readonly [name: string, args: string[], message: RegExp, code?: number][] = [
    ["no such recipe", ["train", "none.yaml"], /none\.yaml: expected a recipe/],
    ["a folder for a recipe", ["train", "data"], /data: expected a recipe.*EISDIR/],
    ["an empty recipe", ["train", "empty.yaml"], /empty\.yaml: expected a recipe: a map with name, model, corpora and stages/],
    ["a missing field", ["train", "nameless.yaml"], /nameless\.yaml.* name: .*missing here/],
    ["no recipe at all", ["train"], /missing required argument 'recipe'/, 2],
    ["a step that is no number", ["train", "tiny.yaml", "--until", "soon"], /--until <step>.*a whole number/, 2],
    ["an empty corpus", ["train", "tiny.yaml", "--set", "output=bad", "--set", "corpora.new.path=empty.jsonl"], /empty\.jsonl/],
    ["a corpus that is not there", ["train", "tiny.yaml", "--set", "output=bad", "--set", "corpora.new.path=no.jsonl"], /no\.jsonl/],
    [
      "a field that no record has",
      ["evaluate", "whole/main/model", "old.jsonl", "--text-field", "body"],
      /60 broken records\. Check .*textField/,
    ],
    ["a model folder without config", ["evaluate", "data", "old.jsonl"], /data\/config\.json: expected a Hugging Face model folder/],
    ["no such model", ["generate", "nowhere", "--prompt", "x"], /nowhere\/config\.json/],
    ["a file for a model", ["export", "old.jsonl", "made"], /old\.jsonl/],
    ["a store in a file that is none", ["runs", "--store", "old.jsonl"], /old\.jsonl/],
    ["a folder for a store", ["runs", "--store", "data"], /data/],
    ["no text for a tokenizer", ["tokenizer", "train", "empty.jsonl", "--vocab-size", "300", "--output", "made"], /empty\.jsonl|text/],
  ];

  beforeAll(() => {
    mkdirSync(join(cwd, "data"));
    writeFileSync(join(cwd, "empty.yaml"), "");
    writeFileSync(join(cwd, "empty.jsonl"), "");
    writeFileSync(join(cwd, "nameless.yaml"), RECIPE.replace("name: tiny", ""));
  });

  for (const [name, args, message, expected = 1] of mistakes)
    test(name, async () => {
      const { code, out, err } = await perennial(...args);
      expect(code).toBe(expected);
      expect(out).toBe("");
      const lines = err
        .trimEnd()
        .split("\n")
        .filter((line) => line.startsWith("perennial: ") && !line.includes("tokenizing"));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(message);
      expect(existsSync(join(cwd, "made"))).toBe(false);
    });

  test.skipIf(process.getuid?.() === 0)("a folder that cannot be written", async () => {
    mkdirSync(join(cwd, "locked"));
    chmodSync(join(cwd, "locked"), 0o500);
    const { code, err } = await perennial("train", "tiny.yaml", "--set", "output=locked/run");
    expect(code).toBe(1);
    expect(err).toMatch(/^perennial: .*locked\/run.*\n$/);
  });
});
