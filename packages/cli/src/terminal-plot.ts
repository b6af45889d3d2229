/** A line in Braille dots: each character is 2 × 4 dots, so a plot of 60 × 12 characters shows 120 × 48 points. */

export interface PlotOptions {
  /** In characters. */
  width: number;
  height: number;
  formatX: (value: number) => string;
  formatY: (value: number) => string;
}

/** Bits of the dots of a Braille cell, by row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

export function terminalPlot(points: readonly { x: number; y: number }[], { width, height, formatX, formatY }: PlotOptions): string {
  const finite = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const first = finite[0];
  const last = finite.at(-1);
  if (first === undefined || last === undefined) return "nothing to plot\n";
  const low = Math.min(0, ...finite.map(({ y }) => y));
  const high = Math.max(...finite.map(({ y }) => y)) || 1;
  const cells = new Uint8Array(width * height);
  const column = (x: number) => Math.round(((x - first.x) / (last.x - first.x || 1)) * (2 * width - 1));
  const row = (y: number) => Math.round((1 - (y - low) / (high - low || 1)) * (4 * height - 1));
  for (const [i, point] of finite.entries()) {
    const before = finite[Math.max(0, i - 1)]!;
    const steps = Math.max(1, Math.abs(column(point.x) - column(before.x)), Math.abs(row(point.y) - row(before.y)));
    for (let s = 0; s <= steps; s++) {
      const x = Math.round(column(before.x) + ((column(point.x) - column(before.x)) * s) / steps);
      const y = Math.round(row(before.y) + ((row(point.y) - row(before.y)) * s) / steps);
      cells[(y >> 2) * width + (x >> 1)]! |= DOTS[y & 3]![x & 1]!;
    }
  }
  const labels = [formatY(high), formatY((low + high) / 2), formatY(low)];
  const margin = Math.max(...labels.map((label) => label.length));
  const lines = Array.from({ length: height }, (_, r) => {
    const label = r === 0 ? labels[0]! : r === height - 1 ? labels[2]! : r === height >> 1 ? labels[1]! : "";
    const dots = [...cells.subarray(r * width, (r + 1) * width)].map((bits) => String.fromCodePoint(0x2800 + bits)).join("");
    return `${label.padStart(margin)} ┤${dots}`;
  });
  const [left, right] = [formatX(first.x), formatX(last.x)];
  return `${lines.join("\n")}\n${" ".repeat(margin + 2)}${left}${" ".repeat(Math.max(1, width - left.length - right.length))}${right}\n`;
}
