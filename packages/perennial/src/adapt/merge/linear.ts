import { scope } from "@perennial/torch";
import type { Values } from "./values.ts";

/**
 * Weighted sum (model soups, Wortsman et al., arXiv 2203.05482): Σ wᵢ xᵢ, divided by Σ wᵢ if `normalize`. Models are added one
 * by one: memory does not grow with their number.
 */
export function linear(models: readonly Values[], weights: readonly number[], normalize = true): Values {
  const divisor = normalize ? weights.reduce((sum, weight) => sum + weight, 0) : 1;
  return {
    numel: models[0]!.numel,
    read(start, end) {
      const sum = scope(() => models[0]!.read(start, end).mul(weights[0]! / divisor));
      for (let i = 1; i < models.length; i++)
        scope(() => {
          sum.add_(models[i]!.read(start, end), { alpha: weights[i]! / divisor });
        });
      return sum;
    },
  };
}
