/**
 * Is this step's loss a spike? Compared with the last W accepted losses, m their median:
 *   ratio     loss > ratio · m
 *   z-score   loss > m + zScore · s,   s = 1.4826 · median |loss_i − m|          robust deviation; at least 0.1 % of m, for flat stretches
 *   NaN and ±∞ are always spikes.
 * A spike does not enter the window, so that one does not excuse the next. Finite losses are judged once half the window is filled.
 * `maxConsecutive` spikes in a row are no spike but a new level (other data, another objective): the verdict is then "diverged", because
 * leaving steps out for ever trains nothing.
 * loss: nats per target token of the whole step, all ranks: every process must hand in the same number, then all decide the same.
 * State: the window and a count, plain JSON. A new stage starts from `initialLossSpikeState`.
 */
export interface LossSpikeOptions {
  readonly criterion: { readonly ratio: number } | { readonly zScore: number };
  /** W, in steps. */
  readonly windowSteps: number;
  readonly maxConsecutive: number;
}

export interface LossSpikeState {
  /** Accepted losses, oldest first, at most W. */
  readonly recent: readonly number[];
  readonly consecutive: number;
}

export type LossVerdict =
  | { readonly kind: "ordinary" }
  /** `limit`: what the loss would have had to stay below; null for a loss that is no number. */
  | { readonly kind: "spike" | "diverged"; readonly loss: number; readonly limit: number | null; readonly consecutive: number };

export const initialLossSpikeState: LossSpikeState = { recent: [], consecutive: 0 };

export function judgeLoss(options: LossSpikeOptions, state: LossSpikeState, loss: number): { state: LossSpikeState; verdict: LossVerdict } {
  const limit = Number.isFinite(loss) ? lossLimit(options, state) : null;
  if (limit !== null && loss <= limit)
    return { state: { recent: [...state.recent, loss].slice(-options.windowSteps), consecutive: 0 }, verdict: { kind: "ordinary" } };
  const consecutive = state.consecutive + 1;
  const kind = consecutive >= options.maxConsecutive ? "diverged" : "spike";
  return { state: { ...state, consecutive }, verdict: { kind, loss, limit, consecutive } };
}

function lossLimit({ criterion, windowSteps }: LossSpikeOptions, { recent }: LossSpikeState): number {
  if (recent.length < windowSteps / 2) return Number.POSITIVE_INFINITY;
  const middle = median(recent);
  if ("ratio" in criterion) return criterion.ratio * middle;
  const deviation = NORMAL_DEVIATION_PER_MAD * median(recent.map((loss) => Math.abs(loss - middle)));
  return middle + criterion.zScore * Math.max(deviation, 1e-3 * Math.abs(middle));
}

/** σ of a normal distribution is 1.4826 times its median absolute deviation. */
const NORMAL_DEVIATION_PER_MAD = 1.4826;

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
