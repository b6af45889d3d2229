import { type ScoreMatrix, scoreAfter } from "./score-matrix.ts";

/** ACC or OP_t = (1/t) Σ_{i ≤ t} R[t,i]: the mean over the tasks seen so far. `stage` counts from 0; default: the last. */
export function averageAccuracy(matrix: ScoreMatrix, stage = matrix.after.length - 1): number {
  let sum = 0;
  for (let i = 0; i <= stage; i++) sum += scoreAfter(matrix, stage, i);
  return sum / (stage + 1);
}

/** AIA_t = (1/t) Σ_{s ≤ t} OP_s: the mean of ACC over the stages so far. */
export function averageIncrementalAccuracy(matrix: ScoreMatrix, stage = matrix.after.length - 1): number {
  let sum = 0;
  for (let s = 0; s <= stage; s++) sum += averageAccuracy(matrix, s);
  return sum / (stage + 1);
}
