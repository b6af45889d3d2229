/**
 * Early stop: end when a measured value (lower is better: bits per byte, loss) has not improved for `patience` measurements in a row.
 *   improved   value < best − minImprovement                    the first measurement always is
 * NaN never improves. State: the best value, where it was, and a count; plain JSON.
 */
export interface EarlyStopOptions {
  /** Measurements without improvement after which to stop; at least 1. */
  readonly patience: number;
  /** In the unit of the value. */
  readonly minImprovement: number;
}

export interface EarlyStopState {
  readonly best: number | null;
  /** Step of the best measurement: the checkpoint to keep. */
  readonly bestStep: number | null;
  readonly withoutImprovement: number;
}

export const initialEarlyStopState: EarlyStopState = { best: null, bestStep: null, withoutImprovement: 0 };

export function observeForEarlyStop(
  { patience, minImprovement }: EarlyStopOptions,
  state: EarlyStopState,
  { step, value }: { readonly step: number; readonly value: number },
): { state: EarlyStopState; stop: boolean } {
  const improved = state.best === null ? !Number.isNaN(value) : value < state.best - minImprovement;
  if (improved) return { state: { best: value, bestStep: step, withoutImprovement: 0 }, stop: false };
  const withoutImprovement = state.withoutImprovement + 1;
  return { state: { ...state, withoutImprovement }, stop: withoutImprovement >= patience };
}
