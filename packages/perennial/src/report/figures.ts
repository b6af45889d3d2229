/** Pure computations behind the figures. */

/** Exponential moving average with bias correction; not-a-number leaves a gap and does not poison what follows. */
export function smoothed(values: readonly number[], halfLife: number): number[] {
  const decay = 0.5 ** (1 / halfLife);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return Number.NaN;
    sum = decay * sum + (1 - decay) * value;
    weight = decay * weight + (1 - decay);
    return sum / weight;
  });
}

/** Change of each corpus at each row against the best value that it had in an earlier row (lower is better): positive is forgetting. */
export function forgettingMatrix(values: readonly (readonly number[])[]): number[][] {
  return values.map((row, t) =>
    row.map((value, i) => {
      const earlier = values
        .slice(0, t)
        .map((past) => past[i]!)
        .filter(Number.isFinite);
      return earlier.length === 0 ? Number.NaN : value - Math.min(...earlier);
    }),
  );
}

/** Round ends for an axis, and a step between ticks: 1, 2 or 5 times a power of ten. */
export function niceAxis(low: number, high: number, ticks = 5): { min: number; max: number; interval: number } {
  if (!(Number.isFinite(low) && Number.isFinite(high))) return { min: 0, max: 1, interval: 0.2 };
  const spread = high > low ? high - low : Math.abs(high) || 1;
  const rough = spread / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const round = (value: number) => Number(value.toPrecision(12));
  const min = Math.floor(low / interval + 1e-9) * interval;
  const max = Math.ceil((high > low ? high : low + spread) / interval - 1e-9) * interval;
  return { min: round(min), max: round(max), interval: round(interval) };
}

/** Three decimals with a true minus; a dash where nothing was measured. */
export function number(value: number, digits = 3): string {
  return Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–";
}

/** With a sign always; zero has none. */
export function signed(value: number, digits = 3): string {
  const text = number(value, digits);
  return Number.isFinite(value) && Number(value.toFixed(digits)) > 0 ? `+${text}` : text.replace(/^−(0\.?0*)$/, "$1");
}

export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** A change with half the width of its interval, where there is one: +0.346 ± 0.012. */
export const changeText = (change: number, low: number, high: number): string =>
  Number.isFinite(high - low) ? `${signed(change)} ± ${number((high - low) / 2)}` : signed(change);
