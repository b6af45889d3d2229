import type { Tensor } from "@perennial/torch";

/** The processes that train one model together. Every process makes the same calls in the same order. */
export interface World {
  readonly rank: number;
  readonly size: number;
  /** Processes on this machine. */
  readonly localSize: number;
  /** The sum of a number over all processes: the same bits in each. */
  sum(value: number): number;
  /** The same of many numbers at once. */
  sums(values: readonly number[]): number[];
  /** Gradients of `parameters` added up over all processes. */
  gradientSum(parameters: readonly Tensor[], options?: { readonly overlap?: boolean }): GradientSum;
  /** Gives all processes the tensors of the first one, in place. */
  share(tensors: Iterable<Tensor>): void;
  /** Waits until all processes are here; timers and signals go on. */
  barrier(): Promise<void>;
}

/** The gradients of one set of parameters, step after step. */
export interface GradientSum {
  /** The backward that follows is the last of the step: what it completes may already travel. */
  beforeLastBackward(): void;
  /** Afterwards the gradients are the sums over all processes. */
  finish(): void;
  dispose(): void;
}

const ownGradients: GradientSum = { beforeLastBackward: () => {}, finish: () => {}, dispose: () => {} };

export const singleProcess: World = {
  rank: 0,
  size: 1,
  localSize: 1,
  sum: (value) => value,
  sums: (values) => [...values],
  gradientSum: () => ownGradients,
  share: () => {},
  barrier: async () => {},
};

/**
 * Rank 0 runs `body` before the others do: what it writes to the disk that all see, they find there.
 * When it fails, its end is what the others are told.
 */
export async function firstRankFirst<T>(world: World, body: () => Promise<T>): Promise<T> {
  if (world.rank > 0) await world.barrier();
  const result = await body();
  if (world.rank === 0) await world.barrier();
  return result;
}

/** Rank 0 alone runs `body`; the others wait for its end. */
export async function firstRankOnly(world: World, body: () => void | Promise<void>): Promise<void> {
  await firstRankFirst(world, async () => {
    if (world.rank === 0) await body();
  });
}
