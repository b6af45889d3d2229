import type { Tensor } from "@perennial/torch";
import { mapChunks } from "./chunks.ts";

/** Weighted sum (model soups, Wortsman et al., arXiv 2203.05482): Σ wᵢ xᵢ, divided by Σ wᵢ if `normalize`. Tensors of one shape. */
export function linear(tensors: readonly Tensor[], weights: readonly number[], normalize = true): Tensor {
  const divisor = normalize ? weights.reduce((sum, weight) => sum + weight, 0) : 1;
  return mapChunks(tensors, (slices) => slices.map((slice, i) => slice.mul(weights[i]! / divisor)).reduce((sum, slice) => sum.add(slice)));
}
