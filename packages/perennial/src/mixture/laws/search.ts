/** One-dimensional searches that the laws share: golden section for a minimum, bisection for a boundary. */

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The minimizer of a unimodal `f` on [low, high], to `tolerance` in x; the ends count too. */
export function goldenSection(f: (x: number) => number, low: number, high: number, tolerance = 1e-10): number {
  const ends = [low, high] as const;
  let inner = high - GOLDEN * (high - low);
  let outer = low + GOLDEN * (high - low);
  let fInner = f(inner);
  let fOuter = f(outer);
  while (high - low > tolerance) {
    if (fInner <= fOuter) {
      [high, outer, fOuter] = [outer, inner, fInner];
      inner = high - GOLDEN * (high - low);
      fInner = f(inner);
    } else {
      [low, inner, fInner] = [inner, outer, fOuter];
      outer = low + GOLDEN * (high - low);
      fOuter = f(outer);
    }
  }
  const middle = (low + high) / 2;
  let best = middle;
  for (const end of ends) if (f(end) < f(best)) best = end;
  return best;
}

/** The point of [inside, outside] where `holds` stops being true, approached from the inside. */
export function boundary(holds: (x: number) => boolean, inside: number, outside: number): number {
  for (let i = 0; i < 100 && Math.abs(outside - inside) > 1e-15 * Math.abs(inside + outside); i++) {
    const middle = (inside + outside) / 2;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}

/** The value at fraction `q` of the sorted values, interpolated linearly. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}
