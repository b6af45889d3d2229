import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { corpusDemo } from "./demo.ts";
import { samplePages } from "./sample-crawl.ts";

// In memory where there is such a folder: what is tested is kills, not power cuts, and flushing a shared disk is slow.
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "corpus-demo-"));
afterAll(() => rmSync(root, { recursive: true }));
const model = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
  "dist/models/language-identification/assets/lid.176.ftz",
);

test("the demo plants what it knows the truth of, and says how well each step finds it", async () => {
  for (const language of ["en", "fr"]) mkdirSync(join(root, "pages", language), { recursive: true });
  for (const [i, page] of samplePages({ seed: 4, articles: 60, copies: 0 }).entries())
    writeFileSync(join(root, "pages", page.language, `${i}.html`), page.html);
  const { manifest, quality } = await corpusDemo(join(root, "out"), {
    pages: join(root, "pages"),
    model,
    languages: ["en"],
    foreign: "fr",
    articlesPerLanguage: 15,
    workers: 1,
  });
  const of = Object.fromEntries(quality.map((step) => [step.step, step]));
  expect(Object.keys(of)).toEqual(["extract", "identify", "language", "deduplicate", "filter"]);
  expect(of.extract!.precision).toBeGreaterThan(0.95);
  expect(of.extract!.recall).toBeGreaterThan(0.9);
  expect(of.identify!.precision).toBeGreaterThan(0.9);
  expect(of.language!.recall).toBe(1);
  expect(of.deduplicate!.recall).toBeGreaterThan(0.7);
  expect(of.deduplicate!.precision).toBe(1);
  expect(of.filter!.recall).toBe(1);
  expect(Object.keys(manifest.languages)).toEqual(["eng_Latn"]);
});
