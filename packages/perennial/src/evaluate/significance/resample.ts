/**
 * Resampling a test set whose score is a function of sums over segments: rows [N, K], N segments, K statistics. A resample draws N row
 * numbers with replacement and adds the rows; `score` maps the sums to a number.
 */
import { FieldError } from "../../errors.ts";
import { NumpyRandom } from "./numpy-random.ts";

export type SegmentRows = readonly (readonly number[])[];
export type ScoreOfSums = (sums: Float64Array) => number;

export interface ResampleOptions {
  /** Default 1000. */
  readonly resamples?: number;
  /** Default 12345, sacreBLEU's. */
  readonly seed?: number;
}

/** Rows in one flat array, so that a resample is one pass of additions. */
export class SegmentTable {
  readonly numSegments: number;
  private readonly width: number;
  private readonly cells: Float64Array;

  constructor(rows: SegmentRows, at: string) {
    if (rows.length === 0) throw new FieldError("EVALUATE_SEGMENTS", { at, expected: "at least one segment", received: rows });
    this.numSegments = rows.length;
    this.width = rows[0]!.length;
    const ragged = rows.findIndex((row) => row.length !== this.width);
    if (ragged >= 0)
      throw new FieldError("EVALUATE_SEGMENTS", {
        at: `${at}[${ragged}]`,
        expected: `${this.width} statistics as in the first segment`,
        received: rows[ragged],
      });
    this.cells = Float64Array.from(rows.flat());
  }

  /** Sums over the segments numbered `indices`. */
  sum(indices: ArrayLike<number>): Float64Array {
    const { width, cells } = this;
    const sums = new Float64Array(width);
    for (let i = 0; i < indices.length; i++)
      for (let k = 0, cell = indices[i]! * width; k < width; k++, cell++) sums[k] = sums[k]! + cells[cell]!;
    return sums;
  }

  total(): Float64Array {
    return this.sum(Array.from({ length: this.numSegments }, (_, i) => i));
  }
}

/** Visits B resamples' row numbers [N], NumPy's `choice(N, size=(B, N))`. The array is the same at every visit. */
export function forEachResample(
  numSegments: number,
  { resamples = 1000, seed = 12345 }: ResampleOptions,
  visit: (indices: Uint32Array, resample: number) => void,
): void {
  const random = new NumpyRandom(seed);
  const indices = new Uint32Array(numSegments);
  for (let b = 0; b < resamples; b++) {
    for (let i = 0; i < numSegments; i++) indices[i] = random.integer(numSegments);
    visit(indices, b);
  }
}

export interface ConfidenceInterval {
  /** The score of the whole set, not of a resample. */
  readonly score: number;
  /** Mean of the resampled scores. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** (high − low)/2. */
  readonly halfWidth: number;
}

/** Percentile interval: of B sorted scores, items ⌊B·tail⌋ and B − 1 − ⌊B·tail⌋, tail = (1 − confidence)/2. */
export function percentileInterval(score: number, resampled: readonly number[], confidence = 0.95): ConfidenceInterval {
  const sorted = Float64Array.from(resampled).sort();
  const skipped = Math.floor((sorted.length * (1 - confidence)) / 2 + 1e-9); // 1e-9: 0.05 is not exact in binary
  const [low, high] = [sorted[skipped]!, sorted[sorted.length - 1 - skipped]!];
  return { score, mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length, low, high, halfWidth: (high - low) / 2 };
}

/** Share of resamples strictly beyond the observation, counting the observation itself: (#{ statistic > observed } + 1)/(B + 1). */
export function resamplingPValue(statistics: readonly number[], observed: number): number {
  const beyond = statistics.filter((statistic) => statistic > observed).length;
  return (beyond + 1) / (statistics.length + 1);
}
