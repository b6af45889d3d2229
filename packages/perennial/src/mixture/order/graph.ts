/**
 * The document graph: an undirected edge where either document lists the other, weighted by their similarity.
 *  Compressed rows: the neighbors of d are `neighbors[offsets[d] … offsets[d+1])`, by falling weight, ties by number.
 *  The reverse edges matter: lists are directed, and without them far more paths end early.
 *  Source: Shi et al., In-Context Pretraining, arXiv 2310.10638.
 */
import { FieldError } from "../../errors.ts";
import { type NeighborLists, NONE } from "./neighbors.ts";

export interface DocumentGraph {
  readonly offsets: Uint32Array;
  readonly neighbors: Uint32Array;
  readonly weights: Float32Array;
}

/** `kept`: 1 for the documents that stay; the others have no edges. */
export function graphOf({ k, ids, similarities }: NeighborLists, kept: Uint8Array): DocumentGraph {
  const n = kept.length;
  const lists = (from: number, to: number): boolean => {
    for (let i = from * k; i < (from + 1) * k && ids[i] !== NONE; i++) if (ids[i] === to) return true;
    return false;
  };
  const edges = function* (): Generator<readonly [number, number, number]> {
    for (let a = 0; a < n; a++) {
      if (kept[a] === 0) continue;
      for (let i = a * k; i < (a + 1) * k && ids[i] !== NONE; i++) {
        const b = ids[i]!;
        // An edge that both ends list is taken from the lower end.
        if (kept[b] === 1 && (a < b || !lists(b, a))) yield [a, b, similarities[i]!];
      }
    }
  };
  return compressed(n, edges);
}

/** A graph given edge by edge, e.g. from links. Refuses self-loops and edges given twice: they would bend the degrees. */
export function graphOfEdges(n: number, edges: readonly (readonly [number, number, number])[]): DocumentGraph {
  const seen = new Set<string>();
  edges.forEach(([a, b, weight], i) => {
    const at = `edges[${i}]`;
    const inside = (document: number) => Number.isInteger(document) && document >= 0 && document < n;
    if (!inside(a) || !inside(b) || a === b)
      throw new FieldError("ORDER_GRAPH", {
        at,
        expected: `two different documents from 0 to ${n - 1}`,
        received: [a, b],
        todo: "remove the document's edge to itself",
      });
    if (!Number.isFinite(weight)) throw new FieldError("ORDER_GRAPH", { at, expected: "a finite weight", received: String(weight) });
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (seen.has(key))
      throw new FieldError("ORDER_GRAPH", { at, expected: "every edge once", received: [a, b], todo: "remove the repeated edge" });
    seen.add(key);
  });
  return compressed(n, () => edges);
}

function compressed(n: number, edges: () => Iterable<readonly [number, number, number]>): DocumentGraph {
  const offsets = new Uint32Array(n + 1);
  for (const [a, b] of edges()) {
    offsets[a + 1]!++;
    offsets[b + 1]!++;
  }
  for (let i = 0; i < n; i++) offsets[i + 1]! += offsets[i]!;
  const neighbors = new Uint32Array(offsets[n]!);
  const weights = new Float32Array(offsets[n]!);
  const next = offsets.slice();
  for (const [a, b, weight] of edges()) {
    put(neighbors, weights, next[a]!++, b, weight);
    put(neighbors, weights, next[b]!++, a, weight);
  }
  for (let a = 0; a < n; a++) sortRow(neighbors, weights, offsets[a]!, offsets[a + 1]!);
  return { offsets, neighbors, weights };
}

function put(neighbors: Uint32Array, weights: Float32Array, at: number, neighbor: number, weight: number): void {
  neighbors[at] = neighbor;
  weights[at] = weight;
}

/** In place, by falling weight, then rising number. */
function sortRow(neighbors: Uint32Array, weights: Float32Array, from: number, to: number): void {
  const row = Array.from({ length: to - from }, (_, i) => ({ neighbor: neighbors[from + i]!, weight: weights[from + i]! }));
  row.sort((a, b) => b.weight - a.weight || a.neighbor - b.neighbor);
  for (const [i, { neighbor, weight }] of row.entries()) put(neighbors, weights, from + i, neighbor, weight);
}
