/**
 * Margin of a pair (Artetxe & Schwenk 2019): how much closer it is than the two neighborhoods usually are. a cosine of the pair, f_i and g_j
 * the mean similarity of x_i and y_j to their k nearest neighbors on the other side, b = (f_i + g_j)/2:
 *   ratio  a/b        distance  a − b        absolute  a
 */
import type { Neighbor, Neighbors } from "./neighbors.ts";

export type Margin = "ratio" | "distance" | "absolute";

/** Margin of every candidate (the k neighbors of each sentence, and no other), in both directions and in the neighbors' order. */
export function candidateMargins({ forward, backward }: Neighbors, margin: Margin = "ratio"): Neighbors {
  const f = forward.map(meanSimilarity);
  const g = backward.map(meanSimilarity);
  const of = (a: number, i: number, j: number) => {
    const usual = (f[i]! + g[j]!) / 2;
    if (margin === "ratio") return a / usual;
    return margin === "distance" ? a - usual : a;
  };
  return {
    forward: forward.map((candidates, i) => candidates.map(({ index, similarity }) => ({ index, similarity: of(similarity, i, index) }))),
    backward: backward.map((candidates, j) => candidates.map(({ index, similarity }) => ({ index, similarity: of(similarity, index, j) }))),
  };
}

function meanSimilarity(neighbors: readonly Neighbor[]): number {
  return neighbors.reduce((sum, { similarity }) => sum + similarity, 0) / neighbors.length;
}

/** The candidate with the largest margin, the first of equals; undefined without candidates. */
export function bestCandidate(candidates: readonly Neighbor[]): Neighbor | undefined {
  return candidates.reduce<Neighbor | undefined>(
    (best, candidate) => (best === undefined || candidate.similarity > best.similarity ? candidate : best),
    undefined,
  );
}
