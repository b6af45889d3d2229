/**
 * A bound on what an old corpus may lose: increase = now − before > maxIncrease. All in bits per byte (lower is better); `before` is the value
 * of the model that the run starts from. A measurement that is no number breaks the bound.
 */
export interface ForgettingBoundVerdict {
  readonly broken: boolean;
  /** Bits per byte; negative where the old corpus got better. */
  readonly increase: number;
}

export function judgeForgetting(maxIncrease: number, before: number, now: number): ForgettingBoundVerdict {
  const increase = now - before;
  return { broken: !(increase <= maxIncrease), increase };
}
