/** Counts in bins of equal width; what lies outside is counted in the first or last one. */
export class Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: number[];

  constructor(low: number, high: number, bins: number) {
    this.low = low;
    this.high = high;
    this.counts = new Array<number>(bins).fill(0);
  }

  add(value: number, count = 1): void {
    const bins = this.counts.length;
    const bin = Math.floor(((value - this.low) / (this.high - this.low)) * bins);
    this.counts[Math.min(bins - 1, Math.max(0, bin))]! += count;
  }

  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Corners of the steps: share of all in each bin, drawn as a line. */
  outline(): { x: number[]; y: number[] } {
    const width = (this.high - this.low) / this.counts.length;
    const total = this.total || 1;
    const x: number[] = [];
    const y: number[] = [];
    for (const [i, count] of this.counts.entries()) {
      x.push(this.low + i * width, this.low + (i + 1) * width);
      y.push(count / total, count / total);
    }
    return { x, y };
  }

  /** The part of the axis where something is. */
  get range(): [number, number] {
    const width = (this.high - this.low) / this.counts.length;
    const first = this.counts.findIndex((count) => count > 0);
    if (first < 0) return [this.low, this.high];
    return [this.low + first * width, this.low + (this.counts.findLastIndex((count) => count > 0) + 1) * width];
  }
}
