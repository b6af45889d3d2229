import { type ScoreMatrix, scoreAfter } from "./score-matrix.ts";

/**
 * The three numbers of the MTIL benchmark (ZSCL, arXiv 2303.06628), each a mean over tasks j:
 *   transfer   mean_{i < j} R[i,j], tasks from the second on: zero-shot ability on tasks not yet learned; NaN for one stage
 *   average    mean_i R[i,j] over all stages, those before task j was learned included
 *   last       R[T,j]
 */
export function transferAverageLast(matrix: ScoreMatrix): { transfer: number; average: number; last: number } {
  const numTasks = matrix.after.length;
  const mean = (from: number, to: number, value: (k: number) => number) => {
    let sum = 0;
    for (let k = from; k < to; k++) sum += value(k);
    return sum / (to - from);
  };
  return {
    transfer: mean(1, numTasks, (j) => mean(0, j, (i) => scoreAfter(matrix, i, j))),
    average: mean(0, numTasks, (j) => mean(0, numTasks, (i) => scoreAfter(matrix, i, j))),
    last: mean(0, numTasks, (j) => scoreAfter(matrix, numTasks - 1, j)),
  };
}
