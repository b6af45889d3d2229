import type { Judgements } from "./ranking.ts";

/**
 * nDCG@k = DCG/IDCG, DCG = Σ_{i ≤ k} gain(rel_i)/log₂(i + 1); IDCG orders all judged documents best first, retrieved or not. The gain is
 * linear (trec_eval, BEIR) or exponential, 2^rel − 1 (Burges et al. 2005): never compare one with the other. 0 without a relevant document.
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, k: number, gain: "linear" | "exponential" = "linear"): number {
  const gainOf = (relevance: number) => (gain === "linear" ? Math.max(0, relevance) : 2 ** Math.max(0, relevance) - 1);
  const dcg = (grades: readonly number[]) => grades.slice(0, k).reduce((sum, grade, i) => sum + gainOf(grade) / Math.log2(i + 2), 0);
  const ideal = dcg(Object.values(judgements).sort((a, b) => b - a));
  return ideal === 0 ? 0 : dcg(ranking.map((document) => judgements[document] ?? 0)) / ideal;
}
