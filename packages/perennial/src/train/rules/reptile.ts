/**
 * Reptile across batches, the gradient alignment of meta-experience replay (MER). Every k optimizer steps the weights go back a part of the
 * way to where they stood k steps before:
 *   θ ← a + ε (θ − a),   a ← θ              a anchor, one copy of the weights · k everySteps · ε interpolation, 0 … 1
 * To first order this follows the losses of the window's batches less the dot products of their gradients, so that updates are favored that
 * help each other; with replay the batches mix old and new. Moments and step count of the optimizer, and the learning rate, are untouched.
 * ε = 1 is training without Reptile, to the bit; ε = 0 never moves.
 * The parameters here are the master weights (float32; lower precision is autocast's), so the interpolation is theirs.
 * A window never spans two stages: the anchor is taken anew at the start of each. Steps count from 1; what is left of a stage behind its
 * last whole window stays as it is, or is interpolated as well with `flushAtStageEnd`.
 * Cost: one copy of the weights; about 3 |θ| operations every k steps.
 * Source: arXiv 2508.01908; specification `replay-gradient-alignment`.
 */
import { keep, noGrad, type Tensor } from "@perennial/torch";
import type { Rule } from "../rule.ts";

export interface ReptileOptions {
  readonly everySteps: number;
  readonly interpolation: number;
  readonly flushAtStageEnd: boolean;
}

export function reptile(
  weights: readonly (readonly [string, Tensor])[],
  { everySteps, interpolation, flushAtStageEnd }: ReptileOptions,
  totalSteps: number,
): Rule {
  const anchors = weights.map(([, weight]) => keep(noGrad(() => weight.detach().clone())));
  return {
    name: "reptile",
    afterUpdate({ step }) {
      const finished = step + 1;
      if (finished % everySteps !== 0 && !(flushAtStageEnd && finished === totalSteps)) return;
      noGrad(() => {
        for (const [i, [, weight]] of weights.entries()) {
          anchors[i]!.lerp_(weight, interpolation);
          weight.copy_(anchors[i]!);
        }
      });
    },
    tensors: () => new Map(weights.map(([name], i) => [name, anchors[i]!])),
  };
}
