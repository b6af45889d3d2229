import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { corpusDemo } from "./demo.ts";
import { articlesOf, messagesOf } from "./demo-texts.ts";
import { loadCorpusRecipe } from "./load-recipe.ts";

// In memory where there is such a folder: flushing a shared disk is slow.
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "corpus-demo-"));
afterAll(() => rmSync(root, { recursive: true }));
const require = createRequire(import.meta.url);
const model = join(dirname(require.resolve("fasttext.wasm.js/package.json")), "dist/models/language-identification/assets/lid.176.ftz");
const examples = fileURLToPath(new URL("../../../../../examples/quickstart/", import.meta.url));

test("the demo plants what it knows the truth of, and says how well each step finds it", async () => {
  const texts = {
    wanted: {
      eng_Latn: await articlesOf(join(examples, "english.jsonl.gz"), 120),
      eus_Latn: await articlesOf(join(examples, "basque.jsonl.gz"), 120),
    },
    foreign: messagesOf(join(dirname(require.resolve("typescript/package.json")), "lib"), 2),
  };
  expect(Object.keys(texts.foreign)).toEqual(expect.arrayContaining(["fra_Latn", "rus_Cyrl", "jpn_Jpan", "kor_Hang", "zho_Hani"]));
  const folder = join(root, "out");
  const { manifest, quality } = await corpusDemo(folder, { texts, model, workers: 1 });
  const of = Object.fromEntries(quality.map((step) => [step.step, step]));
  expect(Object.keys(of)).toEqual(["robots", "extract", "repair", "identify", "language", "deduplicate", "filter", "anonymize"]);
  expect(of.robots).toMatchObject({ precision: 1, recall: 1 });
  expect(of.extract!.precision).toBeGreaterThan(0.95);
  expect(of.extract!.recall).toBeGreaterThan(0.9);
  expect(of.repair!.precision).toBe(1);
  expect(of.repair!.recall).toBeGreaterThan(0.9);
  expect(of.identify!.precision).toBeGreaterThan(0.9);
  expect(of.language!.recall).toBe(1);
  expect(of.deduplicate!.recall).toBeGreaterThan(0.7);
  expect(of.filter!.recall).toBeGreaterThan(0.9);
  expect(of.anonymize!.recall).toBe(1);
  expect(Object.keys(manifest.languages)).toEqual(["eng_Latn", "eus_Latn"]);
  expect(manifest.languages.eus_Latn!.filtered).toBe(true);
  // What it ran is a recipe like any other.
  expect(loadCorpusRecipe(join(folder, "recipe.yaml")).recipe).toEqual(manifest.recipe);
  expect(readFileSync(join(folder, "corpus/README.md"), "utf8")).toContain("| eus_Latn |");
});
