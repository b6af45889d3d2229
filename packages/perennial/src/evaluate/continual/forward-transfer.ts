import { type Divisor, meanDifference, type ScoreMatrix, scoreAfter, scoreBefore } from "./score-matrix.ts";

/**
 * FWT_t = 1/(t−1) Σ_{i = 2..t} (R[i−1,i] − b_i): what earlier stages did for a task before it was learned. b must be the checkpoint that the
 * sequence starts from, otherwise pre-training is counted as transfer. NaN for one stage.
 */
export function forwardTransfer(matrix: ScoreMatrix, { stage = matrix.after.length - 1, divisor = "differences" as Divisor } = {}): number {
  return meanDifference(1, stage + 1, divisor, (i) => scoreAfter(matrix, i - 1, i) - scoreBefore(matrix, i));
}
