import { type ScoreMatrix, scoreAfter } from "./score-matrix.ts";

/** (1/t) Σ_{i ≤ t} R[i,i]: how well each task was learned when it came. */
export function learningAccuracy(matrix: ScoreMatrix, stage = matrix.after.length - 1): number {
  let sum = 0;
  for (let i = 0; i <= stage; i++) sum += scoreAfter(matrix, i, i);
  return sum / (stage + 1);
}
