/**
 * A metric over a run: its value per query and their mean. `queries` says which queries the mean covers:
 *   "judged"              all judged queries, those missing from the run count 0 (MS MARCO, our default)
 *   "judged and run"      only queries in both (trec_eval)
 */
import { type DocumentScores, type Judgements, rank } from "./ranking.ts";

export type RetrievalMetric = (ranking: readonly string[], judgements: Judgements) => number;

export interface RetrievalResult {
  readonly mean: number;
  readonly byQuery: ReadonlyMap<string, number>;
}

export function evaluateRetrieval(
  run: ReadonlyMap<string, DocumentScores>,
  judgements: ReadonlyMap<string, Judgements>,
  metric: RetrievalMetric,
  queries: "judged" | "judged and run" = "judged",
): RetrievalResult {
  const byQuery = new Map<string, number>();
  for (const [query, judged] of judgements) {
    const scores = run.get(query);
    if (scores !== undefined) byQuery.set(query, metric(rank(scores), judged));
    else if (queries === "judged") byQuery.set(query, 0);
  }
  const sum = [...byQuery.values()].reduce((total, value) => total + value, 0);
  return { mean: sum / byQuery.size, byQuery };
}
