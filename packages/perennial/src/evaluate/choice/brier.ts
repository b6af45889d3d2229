/**
 * Brier score of one item: Σ_k (p_k − 1[k = gold])², p = softmax of the choices' log-likelihoods. 0 is certain and right, 2 certain and
 * wrong; lower is better. The score of a task is the mean over items.
 */
export function brierScore(logLikelihoods: readonly number[], gold: number): number {
  const largest = Math.max(...logLikelihoods);
  const weights = logLikelihoods.map((ll) => Math.exp(ll - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, weight, k) => sum + (weight / total - Number(k === gold)) ** 2, 0);
}
