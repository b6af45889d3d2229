/**
 * What the ordered path is compared with, over the same vectors.
 *    knn      a document followed by its k neighbors, for every document in random order: documents repeat, hubs often
 *    cluster  spherical k-means; clusters one after the other in random order, shuffled inside
 *  (Random order is `stream(seed).shuffle`.) Source: Shi et al., arXiv 2310.10638 (11,000 clusters there).
 */
import { stream } from "../../stream.ts";
import { nearestRows } from "./cosines.ts";
import { clusterCenters } from "./k-means.ts";
import { type NeighborLists, NONE } from "./neighbors.ts";
import type { VectorMatrix } from "./vectors.ts";

export function* knnOrder({ k, ids }: NeighborLists, seed: number): Generator<number> {
  const documents = Array.from({ length: ids.length / k }, (_, i) => i);
  for (const document of stream(seed, "knn order").shuffle(documents)) {
    yield document;
    for (let i = document * k; i < (document + 1) * k && ids[i] !== NONE; i++) yield ids[i]!;
  }
}

export function clusterOrder(vectors: VectorMatrix, clusters: number, seed: number): Uint32Array {
  const { ids } = nearestRows(vectors, clusterCenters(vectors, { clusters, seed }), 1);
  const random = stream(seed, "cluster order");
  const members: number[][] = Array.from({ length: clusters }, () => []);
  for (const [document, cluster] of ids.entries()) members[cluster]!.push(document);
  return Uint32Array.from(random.shuffle(members).flatMap((documents) => random.shuffle(documents)));
}
