/**
 * Nearest neighbors between two sets of L2-normalized sentence vectors, X [n,D] and Y [m,D]: a_ij = x_i · y_j, the k best a_i· of every x_i
 * and the k best a_·j of every y_j, best first, equal similarities by lower index. Mining needs nothing else of the n × m similarities, so
 * an engine that multiplies on a device can hand in the same structure.
 */
import { FieldError } from "../../errors.ts";

export interface Neighbor {
  readonly index: number;
  /** Cosine. */
  readonly similarity: number;
}

export interface Neighbors {
  /** [n] lists of at most k rows of Y. */
  readonly forward: readonly (readonly Neighbor[])[];
  /** [m] lists of at most k rows of X. */
  readonly backward: readonly (readonly Neighbor[])[];
}

type Vectors = readonly ArrayLike<number>[];

/** `k` is capped by the size of the other set. */
export function nearestNeighbors(x: Vectors, y: Vectors, k = 4): Neighbors {
  const dimension = x[0]?.length ?? y[0]?.length ?? 0;
  for (const [name, rows] of [["x", x] as const, ["y", y] as const]) {
    const ragged = rows.findIndex((row) => row.length !== dimension);
    if (ragged >= 0)
      throw new FieldError("BITEXT_VECTORS", {
        at: `${name}[${ragged}]`,
        expected: `${dimension} numbers`,
        received: rows[ragged]!.length,
      });
  }
  const forward = x.map(() => new Best(k));
  const backward = y.map(() => new Best(k));
  for (const [i, a] of x.entries())
    for (const [j, b] of y.entries()) {
      let similarity = 0;
      for (let d = 0; d < dimension; d++) similarity += a[d]! * b[d]!;
      forward[i]!.offer(j, similarity);
      backward[j]!.offer(i, similarity);
    }
  return { forward: forward.map((best) => best.neighbors), backward: backward.map((best) => best.neighbors) };
}

/** The k best of a stream that arrives in ascending index, by insertion. */
class Best {
  readonly neighbors: Neighbor[] = [];
  private readonly k: number;

  constructor(k: number) {
    this.k = k;
  }

  offer(index: number, similarity: number): void {
    const { neighbors, k } = this;
    if (neighbors.length === k && !(similarity > neighbors[k - 1]!.similarity)) return;
    if (neighbors.length === k) neighbors.pop();
    let at = neighbors.length;
    while (at > 0 && neighbors[at - 1]!.similarity < similarity) at--;
    neighbors.splice(at, 0, { index, similarity });
  }
}

export function normalizeVector(vector: ArrayLike<number>): Float64Array {
  const copy = Float64Array.from(vector);
  const norm = Math.hypot(...copy);
  return norm === 0 ? copy : copy.map((value) => value / norm);
}
