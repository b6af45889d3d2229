/**
 * Bootstrap confidence intervals (Efron 1979) over documents, segments or items: resample with replacement, score, take percentiles.
 *   mean     Σ x_i / N                  accuracy, F1, reciprocal rank …
 *   ratio    Σ a_i / Σ b_i              bits per byte, word error rate: numerator and denominator of an item stay together
 */
import { FieldError } from "../../errors.ts";
import {
  type ConfidenceInterval,
  forEachResample,
  percentileInterval,
  type ResampleOptions,
  type ScoreOfSums,
  type SegmentRows,
  SegmentTable,
} from "./resample.ts";

export interface BootstrapOptions extends ResampleOptions {
  /** Share of the resamples inside the interval. Default 0.95. */
  readonly confidence?: number;
}

/** Interval of any score that is a function of sums over segments. */
export function bootstrap(rows: SegmentRows, score: ScoreOfSums, options: BootstrapOptions = {}): ConfidenceInterval {
  const table = new SegmentTable(rows, "bootstrap rows");
  const scores: number[] = [];
  forEachResample(table.numSegments, options, (indices) => scores.push(score(table.sum(indices))));
  return percentileInterval(score(table.total()), scores, options.confidence);
}

export function bootstrapMean(values: readonly number[], options: BootstrapOptions = {}): ConfidenceInterval {
  return bootstrap(
    values.map((value) => [value, 1]),
    ratio,
    options,
  );
}

export function bootstrapRatio(
  numerators: readonly number[],
  denominators: readonly number[],
  options: BootstrapOptions = {},
): ConfidenceInterval {
  if (numerators.length !== denominators.length)
    throw new FieldError("EVALUATE_SEGMENTS", {
      at: "bootstrapRatio denominators",
      expected: `${numerators.length} values, one for each numerator`,
      received: denominators.length,
    });
  return bootstrap(
    numerators.map((numerator, i) => [numerator, denominators[i]!]),
    ratio,
    options,
  );
}

const ratio: ScoreOfSums = (sums) => sums[0]! / sums[1]!;
