import { countRelevant, isRelevant, type Judgements } from "./ranking.ts";

/** AP = (1/|relevant|) Σ precision at the rank of each hit; 0 without a relevant document. Its mean over queries is MAP. */
export function averagePrecision(ranking: readonly string[], judgements: Judgements): number {
  const relevant = countRelevant(judgements);
  if (relevant === 0) return 0;
  let [hits, sum] = [0, 0];
  for (const [i, document] of ranking.entries()) if (isRelevant(judgements, document)) sum += ++hits / (i + 1);
  return sum / relevant;
}
