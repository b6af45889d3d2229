/**
 * Huber loss of a residual q: quadratic near zero, linear in the tails, so that a few bad checkpoints do not bend a law.
 *    H(q) = q²/2             |q| ≤ δ
 *    H(q) = δ (|q| − δ/2)    otherwise          dH/dq = clip(q, ±δ)
 *  q, δ: both in the residual's unit (for laws: log-loss, no unit).
 */
export function huber(residual: number, delta: number): number {
  const size = Math.abs(residual);
  return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
}
