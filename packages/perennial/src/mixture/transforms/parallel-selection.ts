/**
 * Which sentence pairs of a language pair are trained on, and how often.
 *    lengths: both sides 20–10,000 characters → score filter → at most 200,000 pairs, drawn; fewer than 5,000 are repeated
 *    ⌊10,000/n⌋ times. The direction is drawn later, once, by the format.
 *    threshold    score ≥ t                        percentile    the best 1 − t of the pairs
 *    peak         score ≥ peak + (1 − t)(1 − peak),  peak: middle of the fullest of 100 bins of [0, 1]
 *  Scores 0–1, higher is better. The released configuration says 0.93 in percentile mode, which keeps 7 % and not scores
 *  above 0.93: the mode is therefore always written. Source: AfriqueLLM, arXiv 2601.06395, and its code.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";

export interface ScoredTranslation {
  readonly source: string;
  readonly target: string;
  /** Quality, 0–1. */
  readonly score: number;
}

export const parallelSelectionSchema = z.strictObject({
  minCharacters: z.int().min(1).default(20).describe("shortest side that is kept"),
  maxCharacters: z.int().default(10_000).describe("longest side that is kept"),
  mode: z
    .enum(["threshold", "percentile", "peak"])
    .describe("how `level` is read: a score, a rank, or a distance above the most common score"),
  level: z.number().min(0).max(1).describe("t of the mode"),
  maxPairs: z.int().positive().default(200_000).describe("pairs drawn at most"),
  minPairs: z.int().min(0).default(10_000).describe("fewer than half as many are repeated up to this number"),
  seed: z.int().default(1).describe("seed of the draw"),
});
export type ParallelSelectionSpec = z.input<typeof parallelSelectionSchema>;

export interface ParallelSelection {
  readonly pairs: readonly ScoredTranslation[];
  /** How often the selected pairs are gone through. */
  readonly repeats: number;
  /** Lowest score kept. */
  readonly cutoff: number;
  readonly dropped: { readonly tooShort: number; readonly tooLong: number; readonly lowScore: number; readonly overMaximum: number };
}

export function selectParallel(pairs: readonly ScoredTranslation[], spec: ParallelSelectionSpec): ParallelSelection {
  const options = parallelSelectionSchema.parse(spec);
  const { minCharacters, maxCharacters, maxPairs, minPairs } = options;
  pairs.forEach(({ score }, i) => {
    if (!(score >= 0 && score <= 1))
      throw new FieldError("PARALLEL_SCORE", { at: `pairs[${i}].score`, expected: "a score from 0 to 1", received: String(score) });
  });
  const length = (text: string) => [...text].length;
  const tooShort = ({ source, target }: ScoredTranslation) => Math.min(length(source), length(target)) < minCharacters;
  const tooLong = ({ source, target }: ScoredTranslation) => Math.max(length(source), length(target)) > maxCharacters;
  const fitting = pairs.filter((pair) => !tooShort(pair) && !tooLong(pair));
  const short = pairs.filter(tooShort).length;
  const cutoff = cutoffOf(
    fitting.map((pair) => pair.score),
    options.mode,
    options.level,
  );
  const good = fitting.filter((pair) => pair.score >= cutoff);
  const selected =
    good.length > maxPairs
      ? stream(options.seed, "parallel selection")
          .shuffle([...good])
          .slice(0, maxPairs)
      : good;
  return {
    pairs: selected,
    repeats: selected.length > 0 && selected.length < minPairs / 2 ? Math.floor(minPairs / selected.length) : 1,
    cutoff,
    dropped: {
      tooShort: short,
      tooLong: pairs.length - short - fitting.length,
      lowScore: fitting.length - good.length,
      overMaximum: good.length - selected.length,
    },
  };
}

const BINS = 100;

function cutoffOf(scores: readonly number[], mode: z.output<typeof parallelSelectionSchema>["mode"], level: number): number {
  if (mode === "threshold" || scores.length === 0) return level;
  if (mode === "percentile") {
    const sorted = [...scores].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!;
  }
  const counts = new Uint32Array(BINS);
  for (const score of scores) counts[Math.min(BINS - 1, Math.floor(score * BINS))]!++;
  const peak = (counts.indexOf(Math.max(...counts)) + 0.5) / BINS;
  return peak + (1 - level) * (1 - peak);
}
