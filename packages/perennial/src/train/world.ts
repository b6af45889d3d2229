import type { Tensor } from "@perennial/torch";

/** The processes that train one model together. */
export interface World {
  readonly rank: number;
  readonly size: number;
  /** The sum of a number over all processes. */
  sum(value: number): number;
  /** Adds up the gradients of all processes, in place. */
  sumGradients(parameters: readonly Tensor[]): void;
  /** Waits until all processes are here. */
  barrier(): void;
}

export const singleProcess: World = {
  rank: 0,
  size: 1,
  sum: (value) => value,
  sumGradients: () => {},
  barrier: () => {},
};
