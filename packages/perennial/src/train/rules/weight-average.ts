/**
 * Averages of weights along training: average ← keep · average + (1 − keep) · weights, starting from the weights themselves, so that no bias
 * needs correcting. What differs is `keep` at the n-th update (n = 1, 2, …):
 *   exponential   decay                                              remembers about 1/(1 − decay) updates
 *   warming       min(decay, (1 + n)/(10 + n))                       forgets the first updates sooner (TensorFlow's rule)
 *   uniform       n/(n + 1)                                          the plain mean of the start and all n snapshots (ZSCL's ensemble)
 * No state but n.
 */
export type WeightAverage =
  | { readonly kind: "exponential"; readonly decay: number }
  | { readonly kind: "warming"; readonly decay: number }
  | { readonly kind: "uniform" };

/** `keep` at the n-th update, n ≥ 1. */
export function averageKeep(average: WeightAverage, update: number): number {
  if (average.kind === "uniform") return update / (update + 1);
  return average.kind === "warming" ? Math.min(average.decay, (1 + update) / (10 + update)) : average.decay;
}

/** Share of the n-th update in the average after `updates` of them; n = 0 is the start. The shares add up to 1. */
export function averageShare(average: WeightAverage, n: number, updates: number): number {
  let share = n === 0 ? 1 : 1 - averageKeep(average, n);
  for (let later = n + 1; later <= updates; later++) share *= averageKeep(average, later);
  return share;
}

/** The decay at which a contribution halves every `halfLife` updates: 2^(−1/halfLife). */
export function decayOfHalfLife(halfLife: number): number {
  return 2 ** (-1 / halfLife);
}
