/**
 * The k nearest documents of every document by cosine, exactly or through an HNSW graph.
 *  Both run on one thread and in document order, so that the lists do not depend on the machine. A document is never its
 *  own neighbor (removed by number, not by rank), and documents with no positive cosine are no neighbors: joining them is
 *  worth less than starting anew (our choice). Lists are sorted by similarity, ties by the lower number.
 *  Index: usearch (HNSW, Malkov & Yashunin, arXiv 1603.09320), eight-bit vectors.
 */
import usearch from "usearch";
import { FieldError } from "../../errors.ts";
import type { VectorMatrix } from "./vectors.ts";

/** Row-major [n, k]; a row ends at its first `NONE`. */
export interface NeighborLists {
  readonly k: number;
  readonly ids: Uint32Array;
  /** Cosine, 0–1. */
  readonly similarities: Float32Array;
}

export const NONE = 0xffffffff;

export type NeighborSearch = (vectors: VectorMatrix, k: number) => NeighborLists;

/** Documents per call into the index: bounds the memory of its answers. */
const BLOCK = 1024;

/** Compares every pair: n² cosines. */
export const exactNeighbors: NeighborSearch = (vectors, k) => {
  const all = vectors.data.byteOffset === 0 ? vectors.data : vectors.data.slice();
  return collect(vectors, k, (block, wanted) => usearch.exactSearch(all, block, vectors.dimensions, wanted, usearch.MetricKind.Cos, 1));
};

/** Per document, the cosine to the nearest of `others`, exactly; 0 when there are none. */
export function nearestSimilarity(others: VectorMatrix, vectors: VectorMatrix): Float32Array {
  const documents = vectors.data.length / vectors.dimensions;
  const nearest = new Float32Array(documents);
  if (others.data.length === 0) return nearest;
  const all = others.data.slice();
  for (let from = 0; from < documents; from += BLOCK) {
    const block = rows(vectors, from, Math.min(from + BLOCK, documents));
    const { distances } = usearch.exactSearch(all, block, vectors.dimensions, 1, usearch.MetricKind.Cos, 1);
    for (let i = 0; i < distances.length; i++) nearest[from + i] = 1 - distances[i]!;
  }
  return nearest;
}

export interface HnswOptions {
  /** Links per document and layer. */
  readonly connectivity?: number;
  /** Candidates examined when a document is added and when it is looked up: more is slower and finds more. */
  readonly expansionAdd?: number;
  readonly expansionSearch?: number;
}

export const approximateNeighbors =
  ({ connectivity = 16, expansionAdd = 64, expansionSearch = 64 }: HnswOptions = {}): NeighborSearch =>
  (vectors, k) => {
    const index = new usearch.Index({
      dimensions: vectors.dimensions,
      metric: usearch.MetricKind.Cos,
      quantization: usearch.ScalarKind.I8,
      connectivity,
      expansion_add: expansionAdd,
      expansion_search: Math.max(expansionSearch, k + 1),
      multi: false,
    });
    const documents = vectors.data.length / vectors.dimensions;
    for (let from = 0; from < documents; from += BLOCK) {
      const keys = BigUint64Array.from({ length: Math.min(BLOCK, documents - from) }, (_, i) => BigInt(from + i));
      index.add(keys, rows(vectors, from, from + keys.length), 1);
    }
    return collect(vectors, k, (block, wanted) => index.search(block, wanted, 1));
  };

/** A copy: usearch 2.25 reads a typed array from the start of its buffer, so a view into the middle would give other rows. */
const rows = ({ data, dimensions }: VectorMatrix, from: number, to: number): Int8Array => data.slice(from * dimensions, to * dimensions);

interface Answer {
  readonly keys: BigUint64Array;
  readonly distances: Float32Array;
  /** How many each query found; absent for a single query. */
  readonly counts?: BigUint64Array;
}

function collect(vectors: VectorMatrix, k: number, search: (block: Int8Array, wanted: number) => Answer): NeighborLists {
  const documents = vectors.data.length / vectors.dimensions;
  if (!(Number.isInteger(k) && k >= 1))
    throw new FieldError("ORDER_NEIGHBORS", { at: "neighbors", expected: "a whole number from 1", received: k });
  const ids = new Uint32Array(documents * k).fill(NONE);
  const similarities = new Float32Array(documents * k);
  const wanted = Math.min(k + 1, documents);
  for (let from = 0; from < documents; from += BLOCK) {
    const to = Math.min(from + BLOCK, documents);
    const { keys, distances, counts } = search(rows(vectors, from, to), wanted);
    for (let document = from; document < to; document++) {
      const start = (document - from) * wanted;
      const found = counts === undefined ? keys.length : Number(counts[document - from]);
      const list: { id: number; similarity: number }[] = [];
      for (let i = start; i < start + found; i++) {
        const id = Number(keys[i]);
        const similarity = 1 - distances[i]!;
        if (id !== document && similarity > 0) list.push({ id, similarity });
      }
      list.sort((a, b) => b.similarity - a.similarity || a.id - b.id);
      for (let i = 0; i < Math.min(k, list.length); i++) {
        ids[document * k + i] = list[i]!.id;
        similarities[document * k + i] = list[i]!.similarity;
      }
    }
  }
  return { k, ids, similarities };
}
