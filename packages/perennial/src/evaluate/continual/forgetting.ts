import { type Divisor, meanDifference, type ScoreMatrix, scoreAfter } from "./score-matrix.ts";

export interface ForgettingOptions {
  readonly stage?: number;
  readonly divisor?: Divisor;
  /** Earliest stage at which a task's peak may lie: the one that learned it, or the first (zero-shot scores count too). */
  readonly peakFrom?: "diagonal" | "first";
}

/** F_t = 1/(t−1) Σ_{i < t} (max_{l < t} R[l,i] − R[t,i]): what is missing to each task's best. Never below −BWT. NaN for one stage. */
export function forgetting(
  matrix: ScoreMatrix,
  { stage = matrix.after.length - 1, divisor = "differences", peakFrom = "diagonal" }: ForgettingOptions = {},
): number {
  return meanDifference(0, stage, divisor, (i) => {
    let peak = Number.NEGATIVE_INFINITY;
    for (let l = peakFrom === "first" ? 0 : i; l < stage; l++) peak = Math.max(peak, scoreAfter(matrix, l, i));
    return peak - scoreAfter(matrix, stage, i);
  });
}
