import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { filterBitext, lexiconCoverage, type SentencePair } from "./bitext-filter.ts";

test("every drop has its reason", () => {
  const pairs: SentencePair[] = [
    { source: "The house is red.", target: "Das Haus ist rot." },
    { source: "The house is red.", target: "Das Haus ist rot." },
    { source: "The house  is red.", target: "the house is red." },
    { source: "The house is red.", target: "Rot." },
    { source: "The house is red.", target: "La maison est r." },
    { source: "The house is red.", target: "Der Hund ist alt." },
    { source: "", target: "Das Haus ist rot." },
  ];
  const judges = {
    similarity: ({ target }: SentencePair) => (target.includes("Haus") ? 0.9 : Number.NaN),
    languagesFit: ({ target }: SentencePair) => !target.includes("maison"),
  };
  const { kept, dropped } = filterBitext(pairs, judges);
  expect(kept).toEqual([pairs[0]]);
  expect(dropped).toEqual({ repeated: 1, copy: 1, "length-ratio": 2, language: 1, "similarity-below-min": 1 });
  expect(filterBitext([{ source: "twelve chars", target: "四个字了" }], { similarity: () => 1 }, { expectedRatio: 0.4 }).kept).toHaveLength(
    1,
  );
});

test("lexicon coverage takes out at least 80 % of shuffled targets and keeps nearly all true pairs", () => {
  const random = stream(1, "bitext");
  const words = Array.from({ length: 300 }, (_, i) => [`source${i}`, `ziel${i}`] as const);
  // Half of the lexicon is known, as with a small dictionary.
  const lexicon = new Map(words.filter((_, i) => i % 2 === 0).map(([source, target]) => [source, new Set([target, `${target}s`])]));
  const sentences = Array.from({ length: 400 }, () => Array.from({ length: 10 }, () => words[random.integer(words.length)]!));
  const pairs = sentences.map((sentence) => ({
    source: sentence.map(([source]) => source).join(" "),
    target: random.shuffle(sentence.map(([, target]) => target)).join(" "),
  }));
  const shuffledFrom = 280;
  const targets = random.shuffle(pairs.slice(shuffledFrom).map((pair) => pair.target));
  const planted = pairs.map((pair, i) => (i < shuffledFrom ? pair : { ...pair, target: targets[i - shuffledFrom]! }));
  const { kept } = filterBitext(planted, { similarity: lexiconCoverage(lexicon) }, { minSimilarity: 0.3 });
  const keptTrue = kept.filter((pair) => pairs.some((p) => p.source === pair.source && p.target === pair.target)).length;
  expect(keptTrue).toBeGreaterThan(0.97 * shuffledFrom);
  expect(kept.length - keptTrue).toBeLessThan(0.2 * 120);
  expect(lexiconCoverage(lexicon)({ source: "unknown words", target: "unbekannt" })).toBe(0);
});
