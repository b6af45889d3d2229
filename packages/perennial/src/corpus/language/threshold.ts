/**
 * How sure the identification must be, per language (FineWeb2 §2): a language that is easy to tell has high scores, so that a low one is
 * suspicious there, while low scores are all there is for a language with many neighbours.
 *
 *   τ = max(0.3, min(0.9, median(X) − std(X)))       X scores (0–1) of the documents with that label; std of the population
 *   keep a document when its score ≥ τ
 *
 * `ScoreHistogram` collects X over any number of shards in bounded memory, in steps of 10⁻⁴; it is plain JSON and merges exactly.
 */
export const LOWEST_THRESHOLD = 0.3;
export const HIGHEST_THRESHOLD = 0.9;

export const clampThreshold = (median: number, standardDeviation: number): number =>
  Math.max(LOWEST_THRESHOLD, Math.min(HIGHEST_THRESHOLD, median - standardDeviation));

/** τ from the scores themselves. */
export function fitThreshold(scores: readonly number[]): number {
  if (scores.length === 0) return LOWEST_THRESHOLD;
  const sorted = scores.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  const mean = sorted.reduce((sum, score) => sum + score, 0) / sorted.length;
  const variance = sorted.reduce((sum, score) => sum + (score - mean) ** 2, 0) / sorted.length;
  return clampThreshold(median, Math.sqrt(variance));
}

const STEPS = 10_000;

/** Counts by score in steps: `[step, count, step, count, …]` in ascending order. */
export type ScoreCounts = readonly number[];

export class ScoreHistogram {
  private readonly counts = new Map<number, number>();

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

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  /** τ, to the step. */
  threshold(): number {
    const { total } = this;
    if (total === 0) return LOWEST_THRESHOLD;
    const entries = [...this.counts].sort(([a], [b]) => a - b);
    let sum = 0;
    let squares = 0;
    for (const [step, count] of entries) {
      sum += step * count;
      squares += step * step * count;
    }
    const at = (rank: number) => {
      let before = 0;
      for (const [step, count] of entries) {
        before += count;
        if (rank < before) return step;
      }
      return STEPS;
    };
    const median = (at(Math.floor((total - 1) / 2)) + at(Math.floor(total / 2))) / 2;
    const deviation = Math.sqrt(Math.max(0, squares / total - (sum / total) ** 2));
    return clampThreshold(median / STEPS, deviation / STEPS);
  }
}
