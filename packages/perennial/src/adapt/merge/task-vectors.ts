/**
 * Sums of task vectors dᵢ = modelᵢ − base, with weights wᵢ and a common `scale` λ:
 *   task arithmetic (Ilharco et al., arXiv 2212.04089)   base + λ Σ wᵢ dᵢ
 *   TIES (Yadav et al., arXiv 2306.01708)   trim each dᵢ to its `density` largest magnitudes; elect for each element the
 *     sign s of Σ wᵢ dᵢ (0 counts as +); base + λ Σ wᵢ dᵢ [sign wᵢdᵢ = s] / Σ wᵢ [sign wᵢdᵢ = s]
 *   DARE (Yu et al., arXiv 2311.03099)   drop elements of each dᵢ at random and stretch the rest; base + λ Σ wᵢ dᵢ, where
 *     `elect` says so of the elements with the elected sign alone
 * Models are read one by one, twice where signs are elected: memory does not grow with their number.
 */
import { scope, type Tensor, torch } from "@perennial/torch";
import { dropped, type Rescale } from "./drop.ts";
import { trimmed } from "./trim.ts";
import type { Values } from "./values.ts";

export interface TaskVectors {
  readonly base: Values;
  readonly models: readonly Values[];
  readonly weights: readonly number[];
  readonly scale: number;
}

/** What stays of a task vector's values from `start` on; asked for any range any number of times, but in order. */
export type Sparsify = (delta: Tensor, start: number) => Tensor;

export const taskArithmetic = (vectors: TaskVectors): Values =>
  sum(
    vectors,
    vectors.models.map(() => (delta: Tensor) => delta),
  );

/** `densities`: share of the elements of each task vector that is kept, 0–1. Equal magnitudes at the threshold all stay. */
export const ties = (vectors: TaskVectors, densities: readonly number[]): Values =>
  elected(
    vectors,
    vectors.models.map((model, i) => trimmed(vectors.base, model, densities[i]!)),
    true,
  );

export interface DareOptions {
  readonly densities: readonly number[];
  /** One for each model; the same seed keeps the same elements. */
  readonly seeds: readonly number[];
  /** Default: density. */
  readonly rescale?: Rescale;
  readonly elect?: boolean;
}

export function dare(vectors: TaskVectors, { densities, seeds, rescale = "density", elect = false }: DareOptions): Values {
  const sparse = vectors.models.map((model, i) => dropped(vectors.base, model, { density: densities[i]!, seed: seeds[i]!, rescale }));
  return elect ? elected(vectors, sparse, false) : sum(vectors, sparse);
}

function sum({ base, models, weights, scale }: TaskVectors, sparse: readonly Sparsify[]): Values {
  return {
    numel: base.numel,
    read(start, end) {
      const origin = base.read(start, end);
      const total = origin.clone();
      for (const [i, model] of models.entries())
        scope(() => {
          total.add_(sparse[i]!(model.read(start, end).sub(origin), start), { alpha: weights[i]! * scale });
        });
      return total;
    },
  };
}

/** The sum of what has the sign that outweighs the other; `average`: divided by the weights that took part. */
function elected({ base, models, weights, scale }: TaskVectors, sparse: readonly Sparsify[], average: boolean): Values {
  return {
    numel: base.numel,
    read(start, end) {
      const origin = base.read(start, end);
      const weighted = (i: number) => sparse[i]!(models[i]!.read(start, end).sub(origin), start).mul(weights[i]!);
      const all = torch.zerosLike(origin);
      for (const i of models.keys())
        scope(() => {
          all.add_(weighted(i));
        });
      const positive = all.ge(0);
      const total = all.zero_();
      const divisor = torch.zerosLike(origin);
      for (const i of models.keys())
        scope(() => {
          const delta = weighted(i);
          const agrees = torch.where(positive, delta.gt(0), delta.lt(0));
          total.add_(delta.mul_(agrees));
          if (average) divisor.add_(agrees, { alpha: weights[i]! });
        });
      if (average) total.div_(divisor.maskedFill_(divisor.eq(0), 1));
      return total.mul_(scale).add_(origin);
    },
  };
}
