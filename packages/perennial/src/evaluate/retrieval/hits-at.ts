import { countRelevant, isRelevant, type Judgements } from "./ranking.ts";

/** Recall@k = relevant documents among the first k / all relevant ones; 0 without a relevant document. */
export function recallAt(ranking: readonly string[], judgements: Judgements, k: number): number {
  const relevant = countRelevant(judgements);
  return relevant === 0 ? 0 : hitsAt(ranking, judgements, k) / relevant;
}

/** Success@k = 1 if any of the first k is relevant. */
export function successAt(ranking: readonly string[], judgements: Judgements, k: number): number {
  return Number(hitsAt(ranking, judgements, k) > 0);
}

/** P@k = relevant documents among the first k / k, however short the ranking. */
export function precisionAt(ranking: readonly string[], judgements: Judgements, k: number): number {
  return hitsAt(ranking, judgements, k) / k;
}

function hitsAt(ranking: readonly string[], judgements: Judgements, k: number): number {
  return ranking.slice(0, k).filter((document) => isRelevant(judgements, document)).length;
}
