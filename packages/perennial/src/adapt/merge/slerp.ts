import type { Values } from "./values.ts";
import { eachRange } from "./values.ts";

/** Beyond this cosine the arc is a line to within rounding. */
const LINEAR_ABOVE = 0.9995;
/** A shorter vector has no direction. */
const SHORTEST = 1e-8;

/**
 * Spherical interpolation (Shoemake 1985) of two tensors as vectors: with θ the angle between a and b,
 *   sin((1 − t)θ)/sin θ · a + sin(tθ)/sin θ · b,     t from 0 (a) to 1 (b);
 * linear where they are (anti)parallel. A zero vector counts as perpendicular, as in mergekit. Lengths are not normalized: the
 * coefficients act on a and b themselves. The angle takes a pass of its own over both.
 */
export function slerp(a: Values, b: Values, t: number): Values {
  let [dot, squareA, squareB] = [0, 0, 0];
  eachRange(a.numel, (start, end) => {
    const [u, v] = [a.read(start, end).double(), b.read(start, end).double()];
    dot += u.mul(v).sum().item();
    squareA += u.square().sum().item();
    squareB += v.square().sum().item();
  });
  const [lengthA, lengthB] = [Math.sqrt(squareA), Math.sqrt(squareB)].map((length) => (length > SHORTEST ? length : 1)) as [number, number];
  const cosine = Math.min(Math.max(dot / lengthA / lengthB, -1), 1);
  const angle = Math.acos(cosine);
  const [left, right] =
    Math.abs(cosine) > LINEAR_ABOVE ? [1 - t, t] : [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  return { numel: a.numel, read: (start, end) => a.read(start, end).mul(left).add_(b.read(start, end), { alpha: right }) };
}
