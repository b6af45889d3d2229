/**
 * Sums of task vectors dᵢ = modelᵢ − base, with weights wᵢ and a common `scale` λ:
 *   task arithmetic (Ilharco et al., arXiv 2212.04089)   base + λ Σ wᵢ dᵢ
 *   TIES (Yadav et al., arXiv 2306.01708)   trim each dᵢ to its `density` largest magnitudes; elect for each element the
 *     sign s of Σ wᵢ dᵢ (0 counts as +); base + λ Σ wᵢ dᵢ [sign dᵢ = s] / Σ wᵢ [sign dᵢ = s]
 *   DARE (Yu et al., arXiv 2311.03099)   keep each element with probability `density` and divide it by that;
 *     base + λ Σ wᵢ dᵢ
 * All of it is elementwise but the threshold of a trim, which takes two more passes: memory is the output and chunks.
 */
import { createGenerator, type Generator, type Tensor, torch } from "@perennial/torch";
import { eachChunk, mapChunks } from "./chunks.ts";

export interface TaskVectors {
  readonly base: Tensor;
  readonly models: readonly Tensor[];
  readonly weights: readonly number[];
  readonly scale: number;
}

export const taskArithmetic = ({ base, models, weights, scale }: TaskVectors): Tensor =>
  mapChunks([base, ...models], ([origin, ...tuned]) =>
    origin!.add(tuned.map((model, i) => model.sub(origin!).mul(weights[i]! * scale)).reduce((sum, delta) => sum.add(delta))),
  );

/** `densities`: share of the elements of each task vector that is kept, 0–1. Equal magnitudes at the threshold all stay. */
export function ties({ base, models, weights, scale }: TaskVectors, densities: readonly number[]): Tensor {
  const thresholds = models.map((model, i) => trimThreshold(base, model, densities[i]!));
  return mapChunks([base, ...models], ([origin, ...tuned]) => {
    const deltas = tuned.map((model, i) => {
      const delta = model.sub(origin!);
      return delta.mul(magnitude(delta).ge(thresholds[i]!)).mul(weights[i]!);
    });
    const elected = deltas.reduce((sum, delta) => sum.add(delta)).ge(0);
    let [sum, divisor] = [torch.zerosLike(origin!), torch.zerosLike(origin!)];
    for (const [i, delta] of deltas.entries()) {
      const agrees = torch.where(elected, delta.gt(0), delta.lt(0));
      sum = sum.add(delta.mul(agrees));
      divisor = divisor.add(agrees.mul(weights[i]!));
    }
    return origin!.add(sum.div(divisor.maskedFill(divisor.eq(0), 1)).mul(scale));
  });
}

/**
 * The smallest magnitude that stays when ⌊density · n⌋ elements do, but at least one. Non-negative floats are ordered as
 * their bits are, so a histogram of the upper sixteen and one of the lower sixteen find it without sorting or copying.
 */
function trimThreshold(base: Tensor, model: Tensor, density: number): number {
  const { numel } = base;
  if (density >= 1 || numel === 0) return 0;
  const histogram = (bin: (bits: Tensor) => Tensor): Float64Array => {
    const counts = new Float64Array(1 << 16);
    eachChunk([base, model], ([origin, tuned]) => {
      const bits = torch.view(magnitude(tuned!.sub(origin!)), "int32");
      const found = bin(bits).bincount(null, counts.length).toTypedArray() as BigInt64Array;
      for (const [i, count] of found.entries()) counts[i]! += Number(count);
    });
    return counts;
  };
  const upper = histogram((bits) => bits.bitwiseRightShift(16));
  const [high, above] = binOf(upper, Math.max(1, Math.floor(density * numel)));
  const lower = histogram((bits) => bits.maskedSelect(bits.bitwiseRightShift(16).eq(high)).bitwiseAnd(0xffff));
  const [low] = binOf(lower, above);
  return new Float32Array(new Int32Array([high * 2 ** 16 + low]).buffer)[0]!;
}

const magnitude = (delta: Tensor): Tensor => delta.abs().float();

/** The bin, counted from the last, in which the `rank`-th largest value lies, and its rank in there. */
function binOf(counts: Float64Array, rank: number): [bin: number, rank: number] {
  let bin = counts.length - 1;
  let left = rank;
  for (; bin > 0 && left > counts[bin]!; bin--) left -= counts[bin]!;
  return [bin, left];
}

/** `seeds`: one for each model; the same seed keeps the same elements. */
export function dare({ base, models, weights, scale }: TaskVectors, densities: readonly number[], seeds: readonly number[]): Tensor {
  const generators: readonly Generator[] = seeds.map((seed) => createGenerator(seed));
  return mapChunks([base, ...models], ([origin, ...tuned]) => {
    const deltas = tuned.map((model, i) => {
      const kept = torch
        .empty([...model.shape])
        .uniform_(0, 1, { generator: generators[i]! })
        .lt(densities[i]!);
      return model
        .sub(origin!)
        .mul(kept)
        .mul((weights[i]! * scale) / densities[i]!);
    });
    return origin!.add(deltas.reduce((sum, delta) => sum.add(delta)));
  });
}
