import { type ScoreMatrix, scoreAfter } from "./score-matrix.ts";

/** INT_t = R_joint[t] − R[t,t]: what joint training on all tasks reaches on task t beyond the sequence. `jointScore`: higher is better. */
export function intransigence(matrix: ScoreMatrix, jointScore: number, stage = matrix.after.length - 1): number {
  return jointScore - scoreAfter(matrix, stage, stage);
}
