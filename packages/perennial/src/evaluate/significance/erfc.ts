/**
 * The complementary error function, erfc(x) = 2/√π ∫ₓ^∞ exp(−t²) dt.
 *   |x| < 2   1 − 2/√π exp(−x²) Σ_n 2ⁿ x^(2n+1)/(2n+1)!!            x ≥ 2   exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …))))
 * Abramowitz & Stegun 7.1.6 and 7.1.14. Relative error below 1e-13.
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x >= 2) {
    let tail = x;
    for (let n = 60; n >= 1; n--) tail = x + n / 2 / tail;
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
  }
  let [sum, term] = [x, x];
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
