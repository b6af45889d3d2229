/** Rank statistics of paired sequences. */

/** Spearman's ρ: Pearson's r of the ranks; ties take their mean rank. Without ties ρ = 1 − 6 Σd²/(n(n²−1)). NaN when one side is constant. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  const a = ranks(x);
  const b = ranks(y);
  const center = (x.length + 1) / 2;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const da = a[i]! - center;
    const db = b[i]! - center;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Kendall's τ-a = (concordant − discordant)/(n(n−1)/2); a tie is neither. */
export function kendallTauA(x: readonly number[], y: readonly number[]): number {
  let difference = 0;
  for (let i = 0; i < x.length; i++) for (let j = 0; j < i; j++) difference += Math.sign((x[i]! - x[j]!) * (y[i]! - y[j]!));
  return difference / ((x.length * (x.length - 1)) / 2);
}

/** 1-based ranks, ascending. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const found = new Array<number>(values.length);
  for (let start = 0, end: number; start < order.length; start = end) {
    end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) found[order[k]!] = (start + end + 1) / 2;
  }
  return found;
}
