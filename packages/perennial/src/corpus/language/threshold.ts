/**
 * The scores of a language over any number of shards, in bounded memory: counts in steps of 10⁻⁴, plain JSON that merges exactly. Its
 * threshold is that of `languageScoreThreshold` (FineWeb2 §2): a language that is easy to tell has high scores, so that a low one is
 * suspicious there, while low scores are all there is for a language with many neighbours.
 *
 *   τ = max(0.3, min(0.9, median(X) − std(X)))       X scores (0–1) of the documents with that label; std of the population
 */
const LEAST = 0.3;
const MOST = 0.9;
const STEPS = 10_000;

/** Counts by score in steps: `[step, count, step, count, …]` in ascending order. */
export type ScoreCounts = readonly number[];

export class ScoreHistogram {
  private readonly counts = new Map<number, number>();

  static from(counts: ScoreCounts): ScoreHistogram {
    const histogram = new ScoreHistogram();
    histogram.merge(counts);
    return histogram;
  }

  add(score: number, count = 1): void {
    const step = Math.round(Math.min(1, Math.max(0, score)) * STEPS);
    this.counts.set(step, (this.counts.get(step) ?? 0) + count);
  }

  merge(counts: ScoreCounts): void {
    for (let i = 0; i < counts.length; i += 2) this.add(counts[i]! / STEPS, counts[i + 1]!);
  }

  toJSON(): ScoreCounts {
    return [...this.counts].sort(([a], [b]) => a - b).flat();
  }

  /** Each score that occurs, with its count. */
  *entries(): Generator<[score: number, count: number]> {
    for (const [step, count] of this.counts) yield [step / STEPS, count];
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  /** NaN when there are none. */
  median(): number {
    return this.medianStep([...this.counts].sort(([a], [b]) => a - b)) / STEPS;
  }

  /** τ, to the step. */
  threshold(): number {
    const { total } = this;
    if (total === 0) return LEAST;
    const entries = [...this.counts].sort(([a], [b]) => a - b);
    let sum = 0;
    let squares = 0;
    for (const [step, count] of entries) {
      sum += step * count;
      squares += step * step * count;
    }
    const deviation = Math.sqrt(Math.max(0, squares / total - (sum / total) ** 2));
    return Math.max(LEAST, Math.min(MOST, (this.medianStep(entries) - deviation) / STEPS));
  }

  private medianStep(entries: readonly (readonly [step: number, count: number])[]): number {
    const { total } = this;
    const at = (rank: number) => {
      let before = 0;
      for (const [step, count] of entries) {
        before += count;
        if (rank < before) return step;
      }
      return Number.NaN;
    };
    return (at(Math.floor((total - 1) / 2)) + at(Math.floor(total / 2))) / 2;
  }
}
