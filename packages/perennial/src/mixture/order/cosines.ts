/**
 * The rows of largest cosine to each query, by blocked matrix products of libtorch.
 *    cos(q, c) = q·c / (|q||c|)        queries [Q, D], candidates [C, D] → ids, cosines [Q, k], by falling cosine
 *  Entries are eight-bit whole numbers, so up to D = 1,040 (1,040 · 127² < 2²⁴) every product is exact in float32: the answer
 *  depends neither on the number of threads nor on the machine. A row of zeros has cosine 0 to everything.
 */
import { fromArray, noGrad, scope, torch } from "@perennial/torch";
import type { VectorMatrix } from "./vectors.ts";

export interface NearestRows {
  /** Row-major [Q, k]: rows of the candidates. */
  readonly ids: Int32Array;
  readonly cosines: Float32Array;
  /** min(k, C). */
  readonly k: number;
}

/** Cosines held at once, 4 bytes each: small enough for a cache, large enough for a fast product. */
const BLOCK_CELLS = 2 ** 20;

export function nearestRows(queries: VectorMatrix, candidates: VectorMatrix, wanted: number): NearestRows {
  const { dimensions: D } = queries;
  const [Q, C] = [queries.data.length / D, candidates.data.length / D];
  const k = Math.min(wanted, C);
  const ids = new Int32Array(Q * k);
  const cosines = new Float32Array(Q * k);
  if (k === 0) return { ids, cosines, k };
  const inverse = inverseNorms(candidates);
  const block = Math.max(1, Math.floor(BLOCK_CELLS / C));
  noGrad(() =>
    scope(() => {
      const all = fromArray(candidates.data, { shape: [C, D] })
        .to("float32")
        .t(); // [D,C]
      const scale = fromArray(inverse);
      for (let from = 0; from < Q; from += block)
        scope(() => {
          const rows = queries.data.subarray(from * D, Math.min(from + block, Q) * D);
          const products = fromArray(rows, { shape: [rows.length / D, D] })
            .to("float32")
            .mm(all)
            .mul_(scale); // [q,C]
          const [values, indices] = torch.topk(products, k, -1);
          cosines.set(values.toTypedArray() as Float32Array, from * k);
          ids.set(indices.to("int32").toTypedArray() as Int32Array, from * k);
        });
    }),
  );
  const own = inverseNorms(queries);
  for (let q = 0; q < Q; q++) for (let i = q * k; i < (q + 1) * k; i++) cosines[i]! *= own[q]!;
  return { ids, cosines, k };
}

function inverseNorms({ data, dimensions }: VectorMatrix): Float32Array {
  return Float32Array.from({ length: data.length / dimensions }, (_, row) => {
    let squares = 0;
    for (let i = row * dimensions; i < (row + 1) * dimensions; i++) squares += data[i]! * data[i]!;
    return squares === 0 ? 0 : 1 / Math.sqrt(squares);
  });
}
