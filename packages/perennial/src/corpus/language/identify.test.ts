import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { languageScoreThreshold } from "../thresholds/language-score.ts";
import { identifySchema, LanguageIdentifier, lettersOnly } from "./identify.ts";
import { languageOf } from "./labels.ts";
import { dominantScript } from "./script.ts";
import { ScoreHistogram } from "./threshold.ts";

const golden = JSON.parse(readFileSync(new URL("./golden/fasttext.json", import.meta.url), "utf8")) as { sentences: string[] };
const model = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json")),
  "dist/models/language-identification/assets/lid.176.ftz",
);

const histogram = (scores: readonly number[]) => {
  const counts = new ScoreHistogram();
  for (const score of scores) counts.add(score);
  return counts;
};

test("the threshold of the specification's five scores is .5914", () => {
  expect(histogram([0.2, 0.5, 0.9, 0.95, 0.99]).threshold()).toBeCloseTo(0.5914, 4);
  expect(histogram([0.99, 0.99]).threshold()).toBe(0.9);
  expect(histogram([0.1, 0.5]).threshold()).toBe(0.3);
  expect(histogram([]).threshold()).toBe(0.3);
});

test("histograms give the threshold of the scores, and merge in any cut", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 200 }), fc.nat(), (steps, cut) => {
      const scores = steps.map((step) => step / 10_000);
      const [one, two] = [new ScoreHistogram(), new ScoreHistogram()];
      scores.forEach((score, i) => void (i < cut % scores.length ? one : two).add(score));
      const merged = new ScoreHistogram();
      for (const part of [one, two]) merged.merge(JSON.parse(JSON.stringify(part)) as number[]);
      expect(merged.total).toBe(scores.length);
      expect(merged.threshold()).toBeCloseTo(languageScoreThreshold(scores), 9);
    }),
  );
});

test.each([
  ["Hello, world 123", "Latn"],
  ["Привет, мир", "Cyrl"],
  ["人人生而自由", "Hani"],
  ["すべての人間は自由", "Jpan"],
  ["모든 인간은", "Hang"],
  ["ทั้งหลาย", "Thai"],
  ["ⵜⴰⵎⴰⵣⵉⵖⵜ", "Tfng"],
  ["𞤀𞤁𞤂𞤃", "Adlm"],
  ["𠀀𠀁", "Hani"],
  ["12 + 3 = 15 !", "Zyyy"],
  ["", "Zyyy"],
  ["\ud800 lone", "Latn"],
])("the script of %j is %s", (text, script) => {
  expect(dominantScript(text)).toBe(script);
});

test("labels mean language and script", () => {
  expect(languageOf("kab_Latn", "")).toEqual({ language: "kab", script: "Latn" });
  expect(languageOf("sr", "Ово је текст")).toEqual({ language: "srp", script: "Cyrl" });
  expect(languageOf("sr", "Ovo je tekst")).toEqual({ language: "srp", script: "Latn" });
  expect(languageOf("als", "Mir redä")).toEqual({ language: "gsw", script: "Latn" });
  expect(languageOf("zh-Hans", "")).toEqual({ language: "zho", script: "Hans" });
});

test("HPLT shows the model letters and spaces only", () => {
  expect(lettersOnly("  Hello,\n\n  World 42!  Ünïcode_x ")).toBe("hello world  ünïcode_x");
});

test("documents get label, score and alternatives", () => {
  const identifier = new LanguageIdentifier(identifySchema.parse({ model }));
  const found = golden.sentences.slice(0, 12).map((text) => identifier.identify(text));
  expect(found.map(({ language, script }) => `${language}_${script}`)).toEqual([
    "eng_Latn",
    "fra_Latn",
    "deu_Latn",
    "spa_Latn",
    "eus_Latn",
    "spa_Latn", // Kabyle, which lid.176 does not know
    "ita_Latn",
    "rus_Cyrl",
    "ukr_Cyrl",
    "ell_Grek",
    "zho_Hani",
    "jpn_Jpan",
  ]);
  for (const { score, alternatives } of found) {
    expect(score).toBeGreaterThan(0.05);
    expect(score).toBeLessThanOrEqual(1);
    for (const [, other] of alternatives) expect(other).toBeLessThan(score);
  }
  expect(identifier.identify(" \n ")).toEqual({ language: "und", script: "Zyyy", score: 0, alternatives: [] });
  const document = identifier.annotate({ id: "1", text: golden.sentences[1]!, provenance: { file: "x" }, metadata: {}, annotations: {} });
  expect(document).toMatchObject({ language: "fra", script: "Latn" });
});
