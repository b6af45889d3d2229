/**
 * Near-duplicates out, before the traversal: windows of copies teach copying and make training unstable.
 *    in order of number: keep d unless a kept neighbor has cosine > threshold          (default 0.95; the paper gives none)
 *    released code instead, at write time: drop d when the character 3-grams of its first 100 characters and those of the
 *    document written before have Jaccard > 0.85
 *  Source: Shi et al., arXiv 2310.10638, and swj0419/in-context-pretraining.
 */
import { type NeighborLists, NONE, nearestSimilarity } from "./neighbors.ts";
import type { VectorMatrix } from "./vectors.ts";

export interface KeptDocuments {
  /** 1 for documents that stay. */
  readonly kept: Uint8Array;
  readonly removed: number;
}

/**
 * Documents whose vectors are equal byte for byte: all but the first go. Done before the neighbor search, because a document
 * with more than k copies would have nothing but copies in its list and end without any neighbor.
 */
export function withoutExactCopies({ data, dimensions }: VectorMatrix): KeptDocuments {
  const documents = data.length / dimensions;
  const kept = new Uint8Array(documents).fill(1);
  // Kept documents of equal hash are chained, the newest first: four bytes a document instead of a list for each hash.
  const newest = new Map<number, number>();
  const before = new Int32Array(documents).fill(-1);
  let removed = 0;
  for (let document = 0; document < documents; document++) {
    const row = data.subarray(document * dimensions, (document + 1) * dimensions);
    let hash = 0x811c9dc5;
    let empty = true;
    for (const value of row) {
      hash = Math.imul(hash ^ (value & 0xff), 0x01000193);
      empty &&= value === 0;
    }
    if (empty) continue;
    const head = newest.get(hash) ?? -1;
    let other = head;
    while (other >= 0 && !row.every((value, i) => value === data[other * dimensions + i])) other = before[other]!;
    if (other >= 0) {
      kept[document] = 0;
      removed++;
      continue;
    }
    before[document] = head;
    newest.set(hash, document);
  }
  return { kept, removed };
}

export function withoutNearCopies({ k, ids, similarities }: NeighborLists, threshold: number): KeptDocuments {
  const documents = ids.length / k;
  const kept = new Uint8Array(documents).fill(1);
  // Lists are directed: a kept document that lists a later one marks it, whether or not it is listed back.
  const marked = new Uint8Array(documents);
  let removed = 0;
  for (let document = 0; document < documents; document++) {
    let copy = marked[document] === 1;
    const near: number[] = [];
    for (let i = document * k; i < (document + 1) * k && ids[i] !== NONE && similarities[i]! > threshold; i++) {
      const other = ids[i]!;
      if (other < document) copy ||= kept[other] === 1;
      else near.push(other);
    }
    if (copy) {
      kept[document] = 0;
      removed++;
    } else for (const other of near) marked[other] = 1;
  }
  return { kept, removed };
}

/**
 * Documents that are near copies of a held-out one: to be taken out of the training side before its graph is built, or what
 * is measured on the held-out side is memory. 1 for documents that stay. Exact: every pair across is compared.
 */
export function withoutCopiesOf(
  heldOut: VectorMatrix,
  vectors: VectorMatrix,
  threshold: number,
  search: "exact" | "approximate" = "exact",
): KeptDocuments {
  const documents = vectors.data.length / vectors.dimensions;
  const kept = new Uint8Array(documents).fill(1);
  const nearest = nearestSimilarity(heldOut, vectors, search);
  let removed = 0;
  for (let document = 0; document < documents; document++) {
    if (nearest[document]! <= threshold) continue;
    kept[document] = 0;
    removed++;
  }
  return { kept, removed };
}

const HEAD_CHARACTERS = 100;
const JACCARD = 0.85;

/** The released code's rule, over documents in the order in which they are written. */
export function withoutAdjacentCopies(order: Uint32Array, textOf: (document: number) => string): Uint32Array {
  let written: Set<string> | undefined;
  return order.filter((document) => {
    const grams = trigrams(textOf(document));
    if (written !== undefined && jaccard(grams, written) > JACCARD) return false;
    written = grams;
    return true;
  });
}

function trigrams(text: string): Set<string> {
  const head = [...text.slice(0, 2 * HEAD_CHARACTERS)].slice(0, HEAD_CHARACTERS);
  return new Set(Array.from({ length: Math.max(0, head.length - 2) }, (_, i) => head.slice(i, i + 3).join("")));
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const gram of a) if (b.has(gram)) common++;
  const union = a.size + b.size - common;
  return union === 0 ? 0 : common / union;
}
