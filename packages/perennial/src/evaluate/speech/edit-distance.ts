/** Levenshtein distance with unit costs over any units. O(|a|·|b|) time, O(|b|) memory. */
export function editDistance<Unit>(a: readonly Unit[], b: readonly Unit[]): number {
  const costs = Uint32Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    let diagonal = costs[0]!;
    costs[0] = i + 1;
    for (let j = 0; j < b.length; j++) {
      const substituted = diagonal + (a[i] === b[j] ? 0 : 1);
      diagonal = costs[j + 1]!;
      costs[j + 1] = Math.min(substituted, diagonal + 1, costs[j]! + 1);
    }
  }
  return costs[b.length]!;
}
