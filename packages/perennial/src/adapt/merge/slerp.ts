import type { Tensor } from "@perennial/torch";
import { eachChunk, mapChunks } from "./chunks.ts";

/** Beyond this cosine the arc is a line to within rounding. */
const LINEAR_ABOVE = 0.9995;

/**
 * Spherical interpolation (Shoemake 1985) of two tensors as vectors: with θ the angle between a and b,
 *   sin((1 − t)θ)/sin θ · a + sin(tθ)/sin θ · b,     t from 0 (a) to 1 (b);
 * linear where they are (anti)parallel or zero. Lengths are not normalized: the coefficients act on a and b themselves.
 */
export function slerp(a: Tensor, b: Tensor, t: number): Tensor {
  let [dot, squareA, squareB] = [0, 0, 0];
  eachChunk([a, b], ([x, y]) => {
    const [u, v] = [x!.double(), y!.double()];
    dot += u.mul(v).sum().item();
    squareA += u.square().sum().item();
    squareB += v.square().sum().item();
  });
  const length = Math.sqrt(squareA) * Math.sqrt(squareB);
  const cosine = length === 0 ? 0 : Math.min(Math.max(dot / length, -1), 1);
  const angle = Math.acos(cosine);
  const [left, right] =
    Math.abs(cosine) > LINEAR_ABOVE || length === 0
      ? [1 - t, t]
      : [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  return mapChunks([a, b], ([x, y]) => x!.mul(left).add(y!.mul(right)));
}
