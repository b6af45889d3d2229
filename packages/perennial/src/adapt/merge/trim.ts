/** The trim of TIES: the largest changes stay. */
import { scope, type Tensor, torch } from "@perennial/torch";
import type { Sparsify } from "./task-vectors.ts";
import { eachRange, type Values } from "./values.ts";

export function trimmed(base: Values, model: Values, density: number): Sparsify {
  if (density >= 1) return (delta) => delta;
  if (density <= 0) return (delta) => torch.zerosLike(delta);
  const threshold = trimThreshold(base, model, density);
  return (delta) => delta.mul(magnitude(delta).ge(threshold));
}

/** Of sixteen bits. */
const BINS = 1 << 16;

/**
 * The smallest magnitude that stays when ⌊density · n⌋ elements do, but at least one. Non-negative floats are ordered as
 * their bits are, so a histogram of the upper sixteen and one of the lower sixteen find it without sorting or copying.
 */
function trimThreshold(base: Values, model: Values, density: number): number {
  const histogram = (bin: (bits: Tensor) => Tensor): BigInt64Array =>
    scope(() => {
      const counts = torch.zeros([BINS], { dtype: "int64" });
      eachRange(base.numel, (start, end) => {
        const bits = torch.view(magnitude(model.read(start, end).sub(base.read(start, end))), "int32");
        counts.add_(bin(bits).bincount(null, BINS));
      });
      return counts.toTypedArray() as BigInt64Array;
    });
  const upper = histogram((bits) => bits.bitwiseRightShift(16));
  const [high, above] = binOf(upper, Math.max(1, Math.floor(density * base.numel)));
  const lower = histogram((bits) => bits.maskedSelect(bits.bitwiseRightShift(16).eq(high)).bitwiseAnd(0xffff));
  const [low] = binOf(lower, above);
  return new Float32Array(new Int32Array([high * 2 ** 16 + low]).buffer)[0]!;
}

const magnitude = (delta: Tensor): Tensor => delta.abs().float();

/** The bin, counted from the last, in which the `rank`-th largest value lies, and its rank in there. */
function binOf(counts: BigInt64Array, rank: number): [bin: number, rank: number] {
  let bin = counts.length - 1;
  let left = rank;
  for (; bin > 0 && left > Number(counts[bin]!); bin--) left -= Number(counts[bin]!);
  return [bin, left];
}
