/**
 * The greedy path through the document graph: a heavy path that visits every document once.
 *    while documents are left: start at one of minimum degree (the likeliest to find all its neighbors taken later);
 *    go to the unvisited neighbor of largest weight until there is none
 *  The degree is that of the full graph and never updated (the paper does not say). The paper's listing writes arg min in
 *  the inner step, its text "highest weight": arg max is meant. Joining two stretches is an edge of weight 0. O(n + edges).
 *  Source: Shi et al., In-Context Pretraining, arXiv 2310.10638, algorithm 1.
 */
import { stream } from "../../stream.ts";
import type { DocumentGraph } from "./graph.ts";

export interface DocumentPath {
  /** Document numbers in order, each kept one once. */
  readonly order: Uint32Array;
  /** Sum of the weights along the path. */
  readonly weight: number;
  /** Joins of weight 0: how often a new stretch began after the first. */
  readonly joins: number;
}

/** Among documents of equal degree: drawn with a seed, or the lowest number first. */
export type Ties = { readonly seed: number } | "lowest";

export function greedyPath({ offsets, neighbors, weights }: DocumentGraph, kept: Uint8Array, ties: Ties): DocumentPath {
  const starts = byDegree(offsets, kept, ties);
  const order = new Uint32Array(starts.length);
  const visited = new Uint8Array(kept.length);
  let length = 0;
  let weight = 0;
  let joins = -1;
  for (const start of starts) {
    if (visited[start] === 1) continue;
    joins++;
    for (let document: number | undefined = start; document !== undefined; ) {
      order[length++] = document;
      visited[document] = 1;
      let next: number | undefined;
      for (let i: number = offsets[document]!; i < offsets[document + 1]!; i++) {
        if (visited[neighbors[i]!] === 1) continue;
        next = neighbors[i]!;
        weight += weights[i]!;
        break;
      }
      document = next;
    }
  }
  return { order, weight, joins: Math.max(0, joins) };
}

/** Kept documents by rising degree: a counting sort, stable over the chosen order of ties. */
function byDegree(offsets: Uint32Array, kept: Uint8Array, ties: Ties): Uint32Array {
  const documents: number[] = [];
  for (let document = 0; document < kept.length; document++) if (kept[document] === 1) documents.push(document);
  if (ties !== "lowest") stream(ties.seed, "path starts").shuffle(documents);
  const degree = (document: number) => offsets[document + 1]! - offsets[document]!;
  const maxDegree = documents.reduce((max, document) => Math.max(max, degree(document)), 0);
  const next = new Uint32Array(maxDegree + 2);
  for (const document of documents) next[degree(document) + 1]!++;
  for (let i = 0; i <= maxDegree; i++) next[i + 1]! += next[i]!;
  const sorted = new Uint32Array(documents.length);
  for (const document of documents) sorted[next[degree(document)]!++] = document;
  return sorted;
}
