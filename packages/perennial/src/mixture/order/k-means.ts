/**
 * Spherical k-means over eight-bit vectors: Lloyd's iterations on unit vectors, started from distinct random documents.
 *    cluster of d = argmax_c cos(d, center_c)        center_c = mean of the unit vectors of c's documents, in eight bits again
 *  Centers of a large corpus are learned from a sample. Deterministic, whatever the number of threads (`cosines.ts`).
 */
import { stream } from "../../stream.ts";
import { nearestRows } from "./cosines.ts";
import { quantize, selectRows, type VectorMatrix } from "./vectors.ts";

export interface KMeansOptions {
  readonly clusters: number;
  readonly seed: number;
  readonly iterations?: number;
  /** Documents that the centers are learned from, at most. */
  readonly sample?: number;
}

/** [clusters, D]. */
export function clusterCenters(vectors: VectorMatrix, options: KMeansOptions): VectorMatrix {
  const { clusters, seed, iterations = 10, sample = Number.POSITIVE_INFINITY } = options;
  const { dimensions } = vectors;
  const documents = vectors.data.length / dimensions;
  const drawn = stream(seed, "k-means").shuffle(Array.from({ length: documents }, (_, i) => i));
  let centers = selectRows(vectors, drawn.slice(0, clusters));
  const learned = documents <= sample ? vectors : selectRows(vectors, drawn.slice(0, sample));
  for (let i = 0; i < iterations; i++) centers = meansOf(learned, nearestRows(learned, centers, 1).ids, centers);
  return centers;
}

function meansOf({ data, dimensions }: VectorMatrix, clusterOf: Int32Array, before: VectorMatrix): VectorMatrix {
  const sums = new Float64Array(before.data.length);
  for (let document = 0, at = 0; document < clusterOf.length; document++, at += dimensions) {
    let squares = 0;
    for (let i = at; i < at + dimensions; i++) squares += data[i]! * data[i]!;
    const length = Math.sqrt(squares) || 1;
    for (let i = 0, to = clusterOf[document]! * dimensions; i < dimensions; i++) sums[to + i]! += data[at + i]! / length;
  }
  // A cluster that lost all its documents keeps its center.
  const centers = before.data.slice();
  for (let at = 0; at < sums.length; at += dimensions) quantize(sums.subarray(at, at + dimensions), centers, at);
  return { dimensions, data: centers };
}
