/**
 * Which sentence pairs are translations of each other: heuristics first, then a similarity across languages.
 *    length ratio in [0.5, 2] (characters per side, scaled by `expectedRatio`) · no side a copy of the other · no pair twice ·
 *    language labels as intended · similarity ≥ threshold
 *  Similarity is a function: cosine of a multilingual sentence encoder (threshold 0.7), or, without a model, the coverage by
 *  a bilingual lexicon (0.3). Every drop has a counted reason. Unfiltered bitext harms larger models more.
 *  Source: Marco-LLM, arXiv 2412.04003 names the steps; thresholds are our choice.
 */
import { z } from "zod";

export interface SentencePair {
  readonly source: string;
  readonly target: string;
}

export const bitextFilterSchema = z.strictObject({
  minSimilarity: z.number().min(0).max(1).default(0.7).describe("similarity below which a pair is no translation"),
  minLengthRatio: z.number().gt(0).max(1).default(0.5).describe("shortest target per source length, in characters"),
  maxLengthRatio: z.number().min(1).default(2).describe("longest target per source length, in characters"),
  expectedRatio: z
    .number()
    .positive()
    .default(1)
    .describe("usual target per source length of this language pair, e.g. 0.4 for English to Chinese"),
});
export type BitextFilterSpec = z.input<typeof bitextFilterSchema>;

export interface BitextJudges {
  readonly similarity: (pair: SentencePair) => number;
  /** True when both sides are in their intended languages. */
  readonly languagesFit?: (pair: SentencePair) => boolean;
}

export type BitextDrop = "repeated" | "copy" | "length-ratio" | "language" | "similarity-below-min";

/** Why a pair is dropped, or null; pairs are asked one after the other, each once. */
export function bitextJudge(judges: BitextJudges, spec: BitextFilterSpec = {}): (pair: SentencePair) => BitextDrop | null {
  const { minSimilarity, minLengthRatio, maxLengthRatio, expectedRatio } = bitextFilterSchema.parse(spec);
  const seen = new Set<string>();
  return (pair) => {
    const key = JSON.stringify([pair.source, pair.target]);
    if (seen.has(key)) return "repeated";
    seen.add(key);
    if (comparable(pair.source) === comparable(pair.target)) return "copy";
    const ratio = [...pair.target].length / [...pair.source].length / expectedRatio;
    if (!(ratio >= minLengthRatio && ratio <= maxLengthRatio)) return "length-ratio";
    if (judges.languagesFit !== undefined && !judges.languagesFit(pair)) return "language";
    // A similarity that is not a number keeps nothing.
    return judges.similarity(pair) >= minSimilarity ? null : "similarity-below-min";
  };
}

export function filterBitext(
  pairs: Iterable<SentencePair>,
  judges: BitextJudges,
  spec: BitextFilterSpec = {},
): { kept: SentencePair[]; dropped: Record<BitextDrop, number> } {
  const reasonAgainst = bitextJudge(judges, spec);
  const kept: SentencePair[] = [];
  const dropped: Record<BitextDrop, number> = { repeated: 0, copy: 0, "length-ratio": 0, language: 0, "similarity-below-min": 0 };
  for (const pair of pairs) {
    const reason = reasonAgainst(pair);
    if (reason === null) kept.push(pair);
    else dropped[reason]++;
  }
  return { kept, dropped };
}

const comparable = (text: string) => text.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();

/**
 * Share of the source words known to the lexicon that have one of their translations in the target; 0 when none is known.
 * Words are runs of letters, digits and marks, lower case.
 */
export const lexiconCoverage =
  (lexicon: ReadonlyMap<string, ReadonlySet<string>>) =>
  ({ source, target }: SentencePair): number => {
    const targetWords = new Set(wordsOf(target));
    const known = wordsOf(source).flatMap((word) => lexicon.get(word) ?? []);
    const covered = known.filter((translations) => [...translations].some((word) => targetWords.has(word)));
    return known.length === 0 ? 0 : covered.length / known.length;
  };

const wordsOf = (text: string): string[] => comparable(text).match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
