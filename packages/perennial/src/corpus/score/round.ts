/** To one decimal, ties to the even digit, as the reference rounds. Only multiples of ¼ can be exact ties in binary. */
export function round1(value: number): number {
  if (Number.isInteger(value * 4) && !Number.isInteger(value * 2)) {
    const below = Math.floor(value * 10);
    return (below % 2 === 0 ? below : below + 1) / 10;
  }
  return Number(value.toFixed(1));
}

/** To an integer, ties to the even one. */
export function roundEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Linear between knots (x ascending), constant outside. */
export function interpolate(knots: readonly (readonly [x: number, y: number])[], x: number): number {
  const next = knots.findIndex(([at]) => x < at);
  if (next === 0) return knots[0]![1];
  if (next === -1) return knots.at(-1)![1];
  const [x0, y0] = knots[next - 1]!;
  const [x1, y1] = knots[next]!;
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}
