/**
 * The least language identification score that a document of a language must have, from the scores X of all documents with that label:
 *   τ = max(0.3, min(0.9, median(X) − std(X)))        std: population; keep a document if its score ≥ τ
 * Source: FineWeb2, arXiv 2506.20920.
 */
import { z } from "zod";
import { type Decision, defineFilter, drop, keep } from "../filter/define.ts";
import { median, sorted, std } from "./moments.ts";

const LEAST = 0.3;
const MOST = 0.9;

export function languageScoreThreshold(scores: Iterable<number>): number {
  const values = sorted(scores);
  if (values.length === 0) throw new RangeError("languageScoreThreshold: expected at least one score");
  return Math.max(LEAST, Math.min(MOST, median(values) - std(values)));
}

export const languageScoreSchema = z.strictObject({ minScore: z.number().min(0).max(1) });

export const languageScore = defineFilter("language-score", languageScoreSchema, ({ minScore }) => (document) => {
  return decideLanguageScore(document.languageScore, minScore);
});

export function decideLanguageScore(score: number | undefined, minScore: number): Decision {
  if (score === undefined) return drop("language-unknown");
  return score < minScore ? drop("language-score-below-min", score, minScore) : keep;
}
