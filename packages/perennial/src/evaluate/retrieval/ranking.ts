/**
 * A query's ranking and its judgements, as every retrieval metric here reads them. Order: score descending, equal scores by document id
 * descending in byte order (trec_eval). A document without a judgement is not relevant; relevance ≥ 1 is.
 */
export type DocumentScores = Readonly<Record<string, number>>;
/** Relevance grades by document id; 0 = judged and not relevant. */
export type Judgements = Readonly<Record<string, number>>;

/** Document ids, best first. */
export function rank(scores: DocumentScores): string[] {
  return Object.keys(scores).sort((a, b) => scores[b]! - scores[a]! || compareBytes(b, a));
}

export function isRelevant(judgements: Judgements, document: string): boolean {
  return (judgements[document] ?? 0) >= 1;
}

export function countRelevant(judgements: Judgements): number {
  return Object.values(judgements).filter((relevance) => relevance >= 1).length;
}

/** Order of the UTF-8 bytes, which is that of code points; JavaScript's own order differs above U+D7FF. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
