/** Moments and quantiles of a sample; populations, not estimates: std divides by n. A quantile interpolates linearly between order statistics. */
export const sorted = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort();

export const mean = (values: ArrayLike<number>): number => sum(values, (value) => value) / values.length;

export function std(values: ArrayLike<number>): number {
  const center = mean(values);
  return Math.sqrt(sum(values, (value) => (value - center) ** 2) / values.length);
}

/** Q(q) of an ascending sample, q from 0 to 1. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  const at = q * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below]!;
  return low + (at - below) * (ascending[Math.min(below + 1, ascending.length - 1)]! - low);
}

export const median = (ascending: ArrayLike<number>): number => quantile(ascending, 0.5);

/**
 * The q with Q(q) = value, so that both are inverse to each other inside the sample's range; 0 below it and 1 above.
 * Where many elements equal the value, `end` says which end of them is meant.
 */
export function quantileOf(ascending: ArrayLike<number>, value: number, end: "first" | "last"): number {
  const last = ascending.length - 1;
  if (last < 1 || value < ascending[0]!) return 0;
  if (value > ascending[last]!) return 1;
  let low = 0; // elements before it are < value ("first") or ≤ value ("last")
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (end === "first" ? ascending[middle]! < value : ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  const at = end === "first" ? low : low - 1;
  if (ascending[at] === value) return at / last;
  const before = end === "first" ? at - 1 : at;
  const gap = ascending[before + 1]! - ascending[before]!;
  return (before + (value - ascending[before]!) / gap) / last;
}

function sum(values: ArrayLike<number>, of: (value: number) => number): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += of(values[i]!);
  return total;
}
