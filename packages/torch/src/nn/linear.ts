/**
 * y = x Wᵀ + b, [..., K] → [..., N]; and the same in blocks of rows, for results that do not depend on the company.
 *
 * A matrix product of the same row in a taller or lower matrix can differ in its last bits: BLAS libraries choose the kernel, and how they
 * split the sum over K between threads, by the shape. Inside `fixedRows` each product has one of two shapes, whatever the number of rows:
 * 64 rows, or 16 where x is [B,1,K] (a step of generation). The last block is filled up with zeros. A row's bits then depend on the
 * row, the machine and the number of threads, and not on the batch. 64 rows use each weight often enough to be bound by arithmetic.
 */
// M rows · K inFeatures · N outFeatures
import * as fused from "../fused/index.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";

const ROWS = 64;
const ROWS_OF_A_STEP = 16;

let fixed = false;

/** All `linear` calls of `work` in blocks of a fixed number of rows. For inference; what `work` does must be synchronous. */
export function fixedRows<T>(work: () => T): T {
  const before = fixed;
  fixed = true;
  try {
    return work();
  } finally {
    fixed = before;
  }
}

export function linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  return fixed && x.device === "cpu" ? inBlocks(x, weight, bias) : fused.linear(x, weight, bias);
}

/** The same for several weights that read the same x. */
export function linears(x: Tensor, weights: readonly Tensor[]): Tensor[] {
  return fixed && x.device === "cpu" ? weights.map((weight) => inBlocks(x, weight, null)) : fused.linears(x, weights);
}

function inBlocks(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const { shape } = x;
  const rows = shape.length === 3 && shape[1] === 1 ? ROWS_OF_A_STEP : ROWS;
  const K = shape.at(-1)!;
  const flat = x.reshape([-1, K]);
  const M = flat.size(0);
  const blocks: Tensor[] = [];
  for (let start = 0; start < M; start += rows) {
    const block = flat.slice(0, start, Math.min(start + rows, M));
    const missing = rows - block.size(0);
    blocks.push(fused.linear(missing === 0 ? block : torch.constantPadNd(block, [0, 0, 0, missing]), weight, bias));
  }
  const y = blocks.length === 1 ? blocks[0]! : torch.cat(blocks, 0);
  return y.slice(0, 0, M).view([...shape.slice(0, -1), weight.size(0)]);
}
