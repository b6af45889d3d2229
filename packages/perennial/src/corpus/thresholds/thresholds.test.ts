import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { stream } from "../../stream.ts";
import type { Document } from "../document.ts";
import { applyFilters } from "../filter/define.ts";
import { statistics } from "../filter/statistics.ts";
import { ADAPTATION_METHODS, adapt } from "./adapt.ts";
import { fromFineweb2Config } from "./fineweb2-config.ts";
import { languageScore, languageScoreThreshold } from "./language-score.ts";
import {
  fitThresholds,
  type LanguageThresholds,
  languageFilters,
  languageThresholdsSchema,
  profileOf,
  replay,
} from "./language-thresholds.ts";
import { quantile, quantileOf, sorted, std } from "./moments.ts";
import { cleanArticle, Reference, shareInScript } from "./reference.ts";
import { stopWords } from "./stop-words.ts";

test("language scores of the specification", () => {
  const scores = [0.2, 0.5, 0.9, 0.95, 0.99];
  expect(std(scores)).toBeCloseTo(0.3086, 4);
  expect(languageScoreThreshold(scores)).toBeCloseTo(0.5914, 4);
  expect(languageScoreThreshold([0.99, 0.99])).toBe(0.9);
  expect(languageScoreThreshold([0.1, 0.2, 0.9])).toBe(0.3);
  expect(() => languageScoreThreshold([])).toThrow(/at least one/);
});

test("meanStd: mean 5, std 2, threshold 10 against mean 8, std 3 is 15.5", () => {
  expect(adapt("meanStd", { side: "max", threshold: 10, english: [3, 7], language: [5, 11] })).toBe(15.5);
});

test("tenTail, medianRatio, english and quantile in closed form", () => {
  const language = Array.from({ length: 11 }, (_, i) => i * 10);
  const english = Array.from({ length: 5 }, (_, i) => i);
  const input = { threshold: 3, english, language } as const;
  expect(adapt("tenTail", { ...input, side: "min" })).toBeCloseTo(10, 12);
  expect(adapt("tenTail", { ...input, side: "max" })).toBeCloseTo(90, 12);
  expect(adapt("medianRatio", { ...input, side: "max" })).toBe((3 * 50) / 2);
  expect(adapt("english", { ...input, side: "max" })).toBe(3);
  expect(adapt("quantile", { ...input, side: "max" })).toBe(75); // 3 is Q(3/4) of 0 … 4
});

test("equal references give the English threshold, by every method but tenTail", () => {
  const sample = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 3, maxLength: 40 });
  fc.assert(
    fc.property(sample, fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom("min" as const, "max" as const), (values, q, side) => {
      const reference = sorted(values);
      const threshold = quantile(reference, q);
      for (const method of ADAPTATION_METHODS) {
        if (method !== "tenTail")
          expect(adapt(method, { side, threshold, english: reference, language: reference })).toBeCloseTo(threshold, 9);
      }
    }),
  );
});

test("among equal values the quantile is the end that a bound cuts at", () => {
  const values = [0, 1, 1, 1, 5];
  expect([quantileOf(values, 1, "first"), quantileOf(values, 1, "last"), quantileOf(values, 3, "first")]).toEqual([0.25, 0.75, 0.875]);
  expect([quantileOf(values, -1, "first"), quantileOf(values, 9, "last")]).toEqual([0, 1]);
});

test("a reference that does not vary leaves the threshold alone", () => {
  expect(adapt("meanStd", { side: "max", threshold: 0.3, english: [0, 0], language: [1, 2] })).toBe(0.3);
  expect(adapt("medianRatio", { side: "max", threshold: 0.3, english: [0, 0, 1], language: [1, 2] })).toBe(0.3);
});

test("stop words: above the cut, without symbols and digits; the cut falls until there are eight", () => {
  const frequent = new Map("a b c d e f g h i".split(" ").map((word, i) => [word, 1000 - i]));
  expect(stopWords(new Map([...frequent, [",", 5000], ["1990", 3000], ["rare", 5]]))).toEqual([..."abcdefghi"]);
  const few = new Map([
    ["und", 900],
    ["der", 800],
    [".", 90_000],
    ...Array.from({ length: 20 }, (_, i): [string, number] => [`w${"abcdefghijklmnopqrst"[i]}`, 100 - i]),
  ]);
  expect(stopWords(few).slice(0, 3)).toEqual(["und", "der", "wa"]);
  expect(stopWords(few).length).toBeGreaterThanOrEqual(8);
  expect(
    stopWords(
      new Map([
        ["l'", 2],
        ["x2", 9],
      ]),
    ),
  ).toEqual(["l'"]);
});

/** Clean documents of a made-up language: lines of distinct words between two lengths, with or without a full stop at the end. */
function documentsOf(label: string, [shortest, longest]: [number, number], stop: string): Document[] {
  const random = stream(1, label);
  const frequent = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i).repeat(shortest));
  const word = () =>
    random.uniform() < 0.4
      ? frequent[random.integer(frequent.length)]!
      : Array.from({ length: shortest + random.integer(longest - shortest) }, () => String.fromCharCode(97 + random.integer(26))).join("");
  const line = () => Array.from({ length: 8 + random.integer(12) }, word).join(" ") + (random.uniform() < 0.9 ? stop : "");
  return Array.from({ length: 200 }, (_, i) => ({
    id: `${label} ${i}`,
    text: Array.from({ length: 6 + random.integer(20) }, line).join("\n"),
    language: label.slice(0, 3),
    script: label.slice(4),
    languageScore: 0.8,
    provenance: { file: "made up" },
    metadata: {},
    annotations: {},
  }));
}
function referenceOf(name: string, documents: Document[]): Reference {
  const reference = new Reference(name);
  for (const document of documents) reference.add(document);
  return reference;
}

test("a language of long words without full stops: its own thresholds remove 5 to 25 % of clean text, the English ones over 60 %", () => {
  const clean = documentsOf("qaa_Latn", [6, 24], "");
  const references = {
    english: referenceOf("short words", documentsOf("eng_Latn", [1, 9], ".")),
    language: referenceOf("long words", clean),
  };
  const fit = (method?: "english") =>
    fitThresholds({
      language: "qaa_Latn",
      clean: references,
      crawl: references,
      languageScore: 0.692,
      ...(method && { methods: { gopherRepetition: method, finewebQuality: method, gopherQuality: method } }),
    });
  const removed = (thresholds: LanguageThresholds) => {
    const filters = languageFilters(thresholds);
    return clean.filter((document) => applyFilters(filters, document).dropped !== undefined).length / clean.length;
  };
  const fitted = fit();
  const profile = profileOf(fitted);
  for (const thresholds of [fitted, { ...fit("english"), stopWords: fitted.stopWords, languageScore: 0.9 }]) {
    const filters = languageFilters(thresholds);
    for (const document of clean.slice(0, 50)) {
      const stored = JSON.parse(JSON.stringify({ statistics: statistics(document, profile), languageScore: document.languageScore }));
      expect(replay(stored, thresholds)).toEqual(applyFilters(filters, document).dropped);
    }
  }
  expect(removed(fitted)).toBeGreaterThanOrEqual(0.05);
  expect(removed(fitted)).toBeLessThanOrEqual(0.25);
  expect(removed(fit("english"))).toBeGreaterThan(0.6);
  expect(fitted.stopWords).toHaveLength(12);
  expect(fitted.gopherQuality.minMeanWordLength!).toBeLessThan(fitted.gopherQuality.maxMeanWordLength!);
  expect(fitted.because["finewebQuality.minTerminalLines"]).toEqual({
    method: "tenTail",
    reference: "long words",
    english: 0.12,
    unrounded: 0,
  });
  expect(languageThresholdsSchema.parse(JSON.parse(JSON.stringify(fitted)))).toEqual(fitted);
});

test("a released French configuration, with its ways to say off", () => {
  const yaml = `
dup_line_frac: 0.264
dup_n_grams: [[5, 0.15], [6, 0.141], [7, 0.131], [8, 0.121], [9, 0.111], [10, 0.1]]
language_score: 0.824
line_punct_thr: -1
max_avg_word_length: 11
max_non_alpha_words_ratio: 0.812
min_avg_word_length: 0
new_line_ratio: 0.185
stopwords: [de, la, le, et]
top_n_grams: [[2, 0.161], [3, 0.149], [4, 0.134]]
`;
  const french = fromFineweb2Config("fra_Latn", parse(yaml));
  expect(french).toMatchObject({
    languageScore: 0.824,
    stopWords: ["de", "la", "le", "et"],
    gopherRepetition: {
      maxDuplicateParagraphs: null,
      maxDuplicateLines: 0.264,
      maxTop4Gram: 0.134,
      maxDuplicate6Grams: 0.141,
      maxDuplicateLineCharacters: null,
    },
    finewebQuality: { minTerminalLines: null, maxShortLines: null, maxDuplicateLineCharacters: 0.1, maxNewlinesPerWord: 0.185 },
    gopherQuality: { minWords: 50, minMeanWordLength: null, maxMeanWordLength: 11, minAlphabeticWords: 0.812, minStopWords: 2 },
  });
  expect(languageThresholdsSchema.parse(french)).toEqual(french);
});

test("language score filter", () => {
  const [document] = documentsOf("eng_Latn", [1, 9], ".");
  expect(languageScore({ minScore: 0.8 }).decide(document!)).toEqual({ kept: true });
  expect(languageScore({ minScore: 0.9 }).decide(document!)).toEqual({
    kept: false,
    reason: "language-score-below-min",
    value: 0.8,
    threshold: 0.9,
  });
});

test("articles are cut at their notes, and left out in another script or in English", () => {
  const options = { script: "Cyrl", endHeadings: ["Примечания"], englishScore: (text: string) => (text.includes("the") ? 0.9 : 0.1) };
  expect(cleanArticle("Москва — город.\n== Примечания ==\n1. Источник", options)).toBe("Москва — город.");
  expect(cleanArticle("Moscow is a city", options)).toBeUndefined();
  expect(cleanArticle("Это the текст", options)).toBeUndefined();
  expect(cleanArticle("\nПримечания:\n1", options)).toBeUndefined();
  expect([shareInScript("日本のab", "Jpan"), shareInScript("12", "Latn")]).toEqual([0.6, 0]);
});
