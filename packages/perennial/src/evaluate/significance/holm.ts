/**
 * Holm's step-down correction for m comparisons (several languages, several systems): with p sorted ascending, p₍₁₎ ≤ … ≤ p₍ₘ₎,
 *   adjusted₍ᵢ₎ = max_{j ≤ i} min(1, (m − j + 1) · p₍ⱼ₎)
 * Rejecting where adjusted < α keeps the chance of any false rejection below α, under any dependence (Holm 1979).
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}
