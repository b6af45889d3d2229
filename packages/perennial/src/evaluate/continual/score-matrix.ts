/**
 * Scores of a sequence of stages: `after[t][i]` = score on task i after stage t (t, i = 0 … T − 1), `before[i]` = score of the model the
 * sequence starts from (stage 0 of a continued pre-training). Missing entries are NaN; a metric that needs one says which.
 * All metrics here read scores that are better when higher. Losses, bits per byte and log perplexities are negated by `scoreMatrix`, so
 * that they cannot be averaged as scores by accident; raw perplexities do not belong here, hard tasks would dominate every mean.
 */
import { FieldError } from "../../errors.ts";

export interface ScoreMatrix {
  /** [T,T], higher is better. */
  readonly after: readonly (readonly number[])[];
  /** [T], higher is better. */
  readonly before: readonly number[];
}

export interface ScoreMatrixInput {
  readonly after: readonly (readonly number[])[];
  readonly before?: readonly number[];
  /** false for losses: the scores are then −values. */
  readonly higherIsBetter: boolean;
}

export function scoreMatrix({ after, before = after.map(() => Number.NaN), higherIsBetter }: ScoreMatrixInput): ScoreMatrix {
  const numTasks = after.length;
  if (numTasks === 0) throw new FieldError("SCORE_MATRIX", { at: "after", expected: "at least one stage", received: after });
  for (const [name, row] of [["before", before] as const, ...after.map((row, t) => [`after[${t}]`, row] as const)])
    if (row.length !== numTasks)
      throw new FieldError("SCORE_MATRIX", {
        at: name,
        expected: `${numTasks} scores, one for each stage's task`,
        received: row,
        todo: "write NaN for a score that was not measured",
      });
  const signed = (row: readonly number[]) => (higherIsBetter ? row : row.map((value) => -value));
  return { after: after.map(signed), before: signed(before) };
}

/** How a mean over T − 1 differences is divided: by their number, or by T as the scripts of GEM and TRACE do. */
export type Divisor = "differences" | "tasks";

/** R[t,i]; throws if it was not measured. */
export function scoreAfter(matrix: ScoreMatrix, stage: number, task: number): number {
  return measured(matrix.after[stage]?.[task], `after[${stage}][${task}]`);
}

export function scoreBefore(matrix: ScoreMatrix, task: number): number {
  return measured(matrix.before[task], `before[${task}]`);
}

function measured(score: number | undefined, at: string): number {
  if (score !== undefined && !Number.isNaN(score)) return score;
  throw new FieldError("SCORE_MISSING", {
    at,
    expected: "a measured score",
    received: score ?? "nothing",
    todo: "evaluate this model on this task",
  });
}

/** Mean of `difference(i)` over i from `from` to `to` − 1, under either convention. Without a difference the mean is NaN. */
export function meanDifference(from: number, to: number, divisor: Divisor, difference: (task: number) => number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += difference(i);
  const count = to - from;
  return count === 0 ? Number.NaN : sum / (divisor === "tasks" ? count + 1 : count);
}
