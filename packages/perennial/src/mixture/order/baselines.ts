/**
 * What the ordered path is compared with, over the same vectors.
 *    knn      a document followed by its k neighbors, for every document in random order: documents repeat, hubs often
 *    cluster  spherical k-means; clusters one after the other in random order, shuffled inside
 *  (Random order is `stream(seed).shuffle`.) Source: Shi et al., arXiv 2310.10638 (11,000 clusters there).
 */
import { stream } from "../../stream.ts";
import { type NeighborLists, NONE } from "./neighbors.ts";
import type { VectorMatrix } from "./vectors.ts";

export function* knnOrder({ k, ids }: NeighborLists, seed: number): Generator<number> {
  const documents = Array.from({ length: ids.length / k }, (_, i) => i);
  for (const document of stream(seed, "knn order").shuffle(documents)) {
    yield document;
    for (let i = document * k; i < (document + 1) * k && ids[i] !== NONE; i++) yield ids[i]!;
  }
}

export function clusterOrder(vectors: VectorMatrix, clusters: number, seed: number, iterations = 10): Uint32Array {
  const of = sphericalKMeans(vectors, clusters, seed, iterations);
  const random = stream(seed, "cluster order");
  const members: number[][] = Array.from({ length: clusters }, () => []);
  for (const [document, cluster] of of.entries()) members[cluster]!.push(document);
  return Uint32Array.from(random.shuffle(members).flatMap((documents) => random.shuffle(documents)));
}

/** The cluster of every document: Lloyd's iterations on unit vectors, started from distinct random documents. */
function sphericalKMeans({ data, dimensions }: VectorMatrix, clusters: number, seed: number, iterations: number): Uint32Array {
  const documents = data.length / dimensions;
  const chosen = stream(seed, "k-means")
    .shuffle(Array.from({ length: documents }, (_, i) => i))
    .slice(0, clusters);
  const centers = new Float64Array(clusters * dimensions);
  for (const [c, document] of chosen.entries())
    for (let i = 0; i < dimensions; i++) centers[c * dimensions + i] = data[document * dimensions + i]!;
  const of = new Uint32Array(documents);
  for (let iteration = 0; iteration < iterations; iteration++) {
    normalize(centers, dimensions);
    const sums = new Float64Array(centers.length);
    for (let document = 0; document < documents; document++) {
      of[document] = nearestCenter(data, document * dimensions, centers, dimensions);
      const length = Math.sqrt(squaredNorm(data, document * dimensions, dimensions)) || 1;
      for (let i = 0; i < dimensions; i++) sums[of[document]! * dimensions + i]! += data[document * dimensions + i]! / length;
    }
    // A cluster that lost all its documents keeps its center.
    for (let c = 0; c < clusters; c++)
      if (squaredNorm(sums, c * dimensions, dimensions) > 0)
        centers.set(sums.subarray(c * dimensions, (c + 1) * dimensions), c * dimensions);
  }
  return of;
}

function nearestCenter(data: Int8Array, at: number, centers: Float64Array, dimensions: number): number {
  let best = 0;
  let bestDot = Number.NEGATIVE_INFINITY;
  for (let c = 0; c * dimensions < centers.length; c++) {
    let dot = 0;
    for (let i = 0; i < dimensions; i++) dot += data[at + i]! * centers[c * dimensions + i]!;
    if (dot > bestDot) [best, bestDot] = [c, dot];
  }
  return best;
}

function normalize(centers: Float64Array, dimensions: number): void {
  for (let at = 0; at < centers.length; at += dimensions) {
    const norm = Math.sqrt(squaredNorm(centers, at, dimensions));
    if (norm > 0) for (let i = 0; i < dimensions; i++) centers[at + i]! /= norm;
  }
}

function squaredNorm(data: Int8Array | Float64Array, at: number, dimensions: number): number {
  let sum = 0;
  for (let i = at; i < at + dimensions; i++) sum += data[i]! ** 2;
  return sum;
}
