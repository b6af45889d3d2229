import { type Divisor, meanDifference, type ScoreMatrix, scoreAfter } from "./score-matrix.ts";

/** BWT_t = 1/(t−1) Σ_{i < t} (R[t,i] − R[i,i]): what later stages did to earlier tasks; negative is forgetting. NaN for one stage. */
export function backwardTransfer(
  matrix: ScoreMatrix,
  { stage = matrix.after.length - 1, divisor = "differences" as Divisor } = {},
): number {
  return meanDifference(0, stage, divisor, (i) => scoreAfter(matrix, stage, i) - scoreAfter(matrix, i, i));
}
