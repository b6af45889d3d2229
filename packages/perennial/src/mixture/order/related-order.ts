/**
 * In-context pretraining: orders documents so that those sharing a window are related, each used once.
 *    vectors → exact copies out → k nearest neighbors → near copies out → graph → greedy path
 *  Nothing else changes: model, loss and optimizer do not know. Everything is typed arrays: about 1 kB a document with k = 20 and
 *  D = 256 (vectors 256 B, filing 190 B, lists 160 B, graph up to 320 B), so a million fit in 1–2 GB (`bench/order`).
 *  Source: Shi et al., ICLR 2024, arXiv 2310.10638.
 */
import { codePath } from "./code-path.ts";
import { withoutExactCopies, withoutNearCopies } from "./copies.ts";
import { graphOf } from "./graph.ts";
import { approximateNeighbors, exactNeighbors, type NeighborLists, NONE } from "./neighbors.ts";
import { greedyPath } from "./path.ts";
import { type RelatedOrderSpec, relatedOrderSchema, searchOf } from "./related-schema.ts";
import { selectRows, type VectorMatrix, vectorCosine } from "./vectors.ts";
import type { Windows } from "./windows.ts";

export interface RelatedOrder {
  /** Document numbers, each kept one once. */
  readonly order: Uint32Array;
  readonly search: "exact" | "approximate";
  readonly exactCopies: number;
  readonly nearCopies: number;
  /** Kept documents whose list held nothing but copies, now left out. */
  readonly starved: number;
  /** Mean cosine of adjacent documents, and the share of adjacent pairs that no list joins. */
  readonly adjacentSimilarity: number;
  readonly unrelatedJoins: number;
  readonly warnings: readonly string[];
}

export function relatedOrder(vectors: VectorMatrix, spec: RelatedOrderSpec = {}): RelatedOrder {
  const options = relatedOrderSchema.parse(spec);
  const { neighbors, nearCopyCosine, variant, seed } = options;
  const dedup = nearCopyCosine !== "keep";
  const exact = withoutExactCopies(vectors);
  const { matrix, numbers } = dedup && exact.removed > 0 ? compacted(vectors, exact.kept) : { matrix: vectors, numbers: null };
  const documents = matrix.data.length / matrix.dimensions;
  const search = searchOf(options, documents ** 2);
  const lists = (search === "exact" ? exactNeighbors : approximateNeighbors())(matrix, neighbors);
  const near = dedup ? withoutNearCopies(lists, nearCopyCosine) : { kept: new Uint8Array(documents).fill(1), removed: 0 };
  const path = variant === "paper" ? greedyPath(graphOf(lists, near.kept), near.kept, { seed }).order : codePath(lists, near.kept);
  const starved = countStarved(lists, near.kept);
  const warnings: string[] = [];
  if (!dedup && exact.removed > 0)
    warnings.push(`${exact.removed} documents are copies of others and were kept: windows of copies teach copying.`);
  if (starved > 0)
    warnings.push(`${starved} documents list only copies as their neighbors: list more neighbors, or deduplicate the corpus first.`);
  return {
    order: numbers === null ? path : path.map((document) => numbers[document]!),
    search,
    exactCopies: exact.removed,
    nearCopies: near.removed,
    starved,
    ...alongPath(matrix, lists, path),
    warnings,
  };
}

function compacted(vectors: VectorMatrix, kept: Uint8Array): { matrix: VectorMatrix; numbers: Uint32Array } {
  const numbers = Uint32Array.from(kept.keys()).filter((document) => kept[document] === 1);
  return { matrix: selectRows(vectors, numbers), numbers };
}

const listOf = ({ k, ids }: NeighborLists, document: number): Uint32Array => {
  const row = ids.subarray(document * k, (document + 1) * k);
  const end = row.indexOf(NONE);
  return end < 0 ? row : row.subarray(0, end);
};

function countStarved(lists: NeighborLists, kept: Uint8Array): number {
  let starved = 0;
  for (let document = 0; document < kept.length; document++) {
    if (kept[document] === 0) continue;
    const list = listOf(lists, document);
    if (list.length > 0 && list.every((other) => kept[other] === 0)) starved++;
  }
  return starved;
}

function alongPath(vectors: VectorMatrix, lists: NeighborLists, path: Uint32Array): { adjacentSimilarity: number; unrelatedJoins: number } {
  let similarity = 0;
  let unrelated = 0;
  for (let i = 1; i < path.length; i++) {
    const [a, b] = [path[i - 1]!, path[i]!];
    similarity += vectorCosine(vectors, a, b);
    if (!listOf(lists, a).includes(b) && !listOf(lists, b).includes(a)) unrelated++;
  }
  const pairs = Math.max(1, path.length - 1);
  return { adjacentSimilarity: similarity / pairs, unrelatedJoins: unrelated / pairs };
}

export interface WindowDiagnostics {
  readonly documentsPerWindow: number;
  /** Mean cosine over all pairs of documents inside a window. */
  readonly pairwiseSimilarity: number;
}

export function windowDiagnostics(vectors: VectorMatrix, { count, offsets, documents }: Windows): WindowDiagnostics {
  let sum = 0;
  let pairs = 0;
  for (let w = 0; w < count; w++)
    for (let a = offsets[w]!; a < offsets[w + 1]!; a++)
      for (let b = a + 1; b < offsets[w + 1]!; b++, pairs++) sum += vectorCosine(vectors, documents[a]!, documents[b]!);
  return { documentsPerWindow: documents.length / Math.max(1, count), pairwiseSimilarity: pairs === 0 ? 0 : sum / pairs };
}
