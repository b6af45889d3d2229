/**
 * From the values of items to the score of a task, with its standard error as lm-evaluation-harness gives it:
 *   mean                 s/√n                                                 acc, acc_norm, exact_match …
 *   median, perplexity, f1, matthews_corrcoef, bleu, chrf, chrf++             deviation of bootstrap resamples, drawn as the harness draws them
 *   weighted_perplexity, bits_per_byte, brier_score                           none ("N/A")
 * Every aggregation but the median is a function of sums over items, so that resampling adds rows instead of reading texts again.
 *   perplexity = exp(−Σ ll / n) · weighted_perplexity = exp(−Σ ll / Σ count) · bits_per_byte = −Σ ll / (ln 2 · Σ bytes)
 */
import { FieldError } from "../../errors.ts";
import { SegmentTable } from "../significance/resample.ts";
import { standardError } from "../significance/standard-error.ts";
import { bleuMetric } from "../translation/bleu.ts";
import { chrfMetric } from "../translation/chrf.ts";
import type { CorpusMetric } from "../translation/corpus-metric.ts";
import { PythonRandom } from "./python/random.ts";

export interface TextPair {
  readonly references: readonly string[];
  readonly hypothesis: string;
}

/** A number; a log-likelihood with a count; the numbers of the right and the predicted choice; or texts. */
export type ItemValue = number | readonly [number, number] | TextPair;

export interface Aggregation {
  /** One row per item; all of the same length. */
  rows(values: readonly ItemValue[]): number[][];
  score(sums: ArrayLike<number>): number;
  readonly error: "analytic" | "bootstrap" | "none";
  /** At most so many resamples: texts are slow. */
  readonly maxResamples?: number;
  /** What a reader needs to repeat the number. */
  readonly signature?: (numReferences: number | "var") => string;
}

const numbers = (values: readonly ItemValue[]) => values.map((value) => [value as number, 1]);
const pairs = (values: readonly ItemValue[]) => values.map((value) => [...(value as readonly [number, number])]);
const meanOf = (sums: ArrayLike<number>) => sums[0]! / sums[1]!;

const text = (metric: CorpusMetric<{ readonly score: number }>): Aggregation => ({
  rows: (values) => values.map((value) => metric.statistics((value as TextPair).hypothesis, (value as TextPair).references)),
  score: (sums) => metric.score(sums).score,
  error: "bootstrap",
  maxResamples: 100,
  signature: (numReferences) => metric.signature({ numReferences }),
});

export const aggregations = {
  mean: { rows: numbers, score: meanOf, error: "analytic" },
  brier_score: { rows: numbers, score: meanOf, error: "none" },
  nanmean: {
    rows: (values) => values.map((value) => (Number.isNaN(value) ? [0, 0] : [value as number, 1])),
    score: meanOf,
    error: "bootstrap",
  },
  perplexity: { rows: numbers, score: (sums) => Math.exp(-meanOf(sums)), error: "bootstrap" },
  weighted_perplexity: { rows: pairs, score: (sums) => Math.exp(-meanOf(sums)), error: "none" },
  bits_per_byte: { rows: pairs, score: (sums) => -meanOf(sums) / Math.LN2, error: "none" },
  f1: { rows: confusion, score: binaryF1, error: "bootstrap" },
  matthews_corrcoef: { rows: confusion, score: matthews, error: "bootstrap" },
  bleu: text(bleuMetric()),
  chrf: text(chrfMetric()),
  "chrf++": text(chrfMetric({ wordOrder: 2 })),
} as const satisfies Readonly<Record<string, Aggregation>>;

export type AggregationName = keyof typeof aggregations | "median";
export const aggregationNames: readonly AggregationName[] = [...(Object.keys(aggregations) as (keyof typeof aggregations)[]), "median"];

export interface Aggregated {
  readonly value: number;
  /** Null where there is none. */
  readonly standardError: number | null;
}

/** The harness' number of resamples. */
export const DEFAULT_RESAMPLES = 100_000;

/** `resamples` 0: no standard errors. */
export function aggregate(name: AggregationName, values: readonly ItemValue[], resamples = DEFAULT_RESAMPLES): Aggregated {
  const withError = resamples > 0 && values.length > 1;
  if (name === "median") {
    const list = Float64Array.from(values as readonly number[]);
    const median = (indices: Uint32Array) => Float64Array.from(indices, (i) => list[i]!).sort()[indices.length >> 1]!;
    const all = Uint32Array.from(list, (_, i) => i);
    return { value: median(all), standardError: withError ? bootstrapError(median, list.length, resamples) : null };
  }
  const aggregation: Aggregation = aggregations[name];
  const table = new SegmentTable(aggregation.rows(values), name);
  const value = aggregation.score(table.total());
  if (!withError || aggregation.error === "none") return { value, standardError: null };
  if (aggregation.error === "analytic") return { value, standardError: standardError(values as readonly number[]) };
  const count = Math.min(resamples, aggregation.maxResamples ?? resamples);
  return { value, standardError: bootstrapError((indices) => aggregation.score(table.sum(indices)), values.length, count) };
}

const CHUNK = 1000;

/** Sample deviation of the resampled scores; resamples come in chunks, chunk i from Python's generator with seed i. */
function bootstrapError(score: (indices: Uint32Array) => number, numItems: number, resamples: number): number {
  const chunk = Math.min(CHUNK, resamples);
  const indices = new Uint32Array(numItems);
  const scores: number[] = [];
  for (let i = 0; i < Math.floor(resamples / chunk); i++) {
    const random = new PythonRandom(i);
    for (let b = 0; b < chunk; b++) {
      random.choices(indices, numItems);
      scores.push(score(indices));
    }
  }
  return standardError(scores) * Math.sqrt(scores.length);
}

/** Rows of a confusion matrix [K,K], right choice × predicted choice. */
function confusion(values: readonly ItemValue[]): number[][] {
  const pairsOf = values as readonly (readonly [number, number])[];
  const K = Math.max(2, ...pairsOf.map(([gold, predicted]) => Math.max(gold, predicted) + 1));
  return pairsOf.map(([gold, predicted]) => Array.from({ length: K * K }, (_, cell) => Number(cell === gold * K + predicted)));
}

/** F1 of choice 1: 2 tp / (2 tp + fp + fn); 0 where it is neither right nor predicted anywhere. Two choices: [tn, fp, fn, tp]. */
function binaryF1(sums: ArrayLike<number>): number {
  if (sums.length > 4)
    throw new FieldError("TASK_METRIC", { at: "f1", expected: "two choices", received: Math.sqrt(sums.length), todo: "use mcc for more" });
  const [, falsePositive, falseNegative, truePositive] = [sums[0]!, sums[1]!, sums[2]!, sums[3]!];
  const all = 2 * truePositive + falsePositive + falseNegative;
  return all === 0 ? 0 : (2 * truePositive) / all;
}

/** Gorodkin's R_K: (c s − Σ t_k p_k) / √((s² − Σ p_k²)(s² − Σ t_k²)), c right of s items, t_k and p_k true and predicted of choice k. */
function matthews(sums: ArrayLike<number>): number {
  const K = Math.sqrt(sums.length);
  let [right, all, products, predictedSquares, trueSquares] = [0, 0, 0, 0, 0];
  for (let k = 0; k < K; k++) {
    let [trueCount, predictedCount] = [0, 0];
    for (let other = 0; other < K; other++) {
      trueCount += sums[k * K + other]!;
      predictedCount += sums[other * K + k]!;
    }
    right += sums[k * K + k]!;
    all += trueCount;
    products += trueCount * predictedCount;
    predictedSquares += predictedCount ** 2;
    trueSquares += trueCount ** 2;
  }
  const spread = (all ** 2 - predictedSquares) * (all ** 2 - trueSquares);
  return spread === 0 ? 0 : (right * all - products) / Math.sqrt(spread);
}
