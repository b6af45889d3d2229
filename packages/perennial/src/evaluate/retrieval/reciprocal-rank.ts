import { isRelevant, type Judgements } from "./ranking.ts";

/** 1/rank of the first relevant document among the first k, 0 if there is none. Its mean over queries is MRR@k. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements, k = Number.POSITIVE_INFINITY): number {
  const first = ranking.findIndex((document) => isRelevant(judgements, document));
  return first >= 0 && first < k ? 1 / (first + 1) : 0;
}
