/** Change of one score through a run, such as a source language's: Δ = after − before, Δ/before, after/before (1 = all kept). */
export interface Retention {
  readonly change: number;
  readonly relativeChange: number;
  readonly retention: number;
}

/** Scores are better when higher; for losses compare the change only, a ratio of losses is not a share of anything kept. */
export function retention(before: number, after: number): Retention {
  return { change: after - before, relativeChange: (after - before) / before, retention: after / before };
}

/** TRACE's ΔX_t = (1/M) Σ (R^X[t,i] − R^X[0,i]): vertical forgetting of abilities outside the task list (general, instructions, safety). */
export function probeChange(before: readonly number[], after: readonly number[]): number {
  if (before.length !== after.length)
    throw new RangeError(`probeChange: expected the same probes twice, received ${before.length} and ${after.length}`);
  return after.reduce((sum, score, i) => sum + score - before[i]!, 0) / after.length;
}
