/**
 * Paired approximate randomization (Riezler & Maxwell 2005), as sacreBLEU 2.6.0 does it: in each trial every segment's statistics are
 * swapped between the two systems with probability ½ and both halves are re-scored,
 *   p = (#{ |score_A − score_B| > |observed difference| } + 1)/(trials + 1)                                          two-sided
 */
import { NumpyRandom } from "./numpy-random.ts";
import { pairedTables } from "./paired-bootstrap.ts";
import { resamplingPValue, type ScoreOfSums, type SegmentRows } from "./resample.ts";

export interface ApproximateRandomization {
  readonly baselineScore: number;
  readonly systemScore: number;
  readonly pValue: number;
}

export function approximateRandomization(
  baseline: SegmentRows,
  system: SegmentRows,
  score: ScoreOfSums,
  { trials = 10_000, seed = 12345 }: { readonly trials?: number; readonly seed?: number } = {},
): ApproximateRandomization {
  const [baselineTable, systemTable] = pairedTables(baseline, system);
  const [baselineTotal, systemTotal] = [baselineTable.total(), systemTable.total()];
  const [baselineScore, systemScore] = [score(baselineTotal), score(systemTotal)];

  const random = new NumpyRandom(seed);
  const distances: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const kept: number[] = [];
    for (let i = 0; i < baselineTable.numSegments; i++) if (random.boolean()) kept.push(i);
    const [fromBaseline, fromSystem] = [baselineTable.sum(kept), systemTable.sum(kept)];
    // a: baseline where kept, system elsewhere; b: the rest of both
    const a = fromBaseline.map((sum, k) => sum + systemTotal[k]! - fromSystem[k]!);
    const b = fromSystem.map((sum, k) => sum + baselineTotal[k]! - fromBaseline[k]!);
    distances.push(Math.abs(score(a) - score(b)));
  }
  return { baselineScore, systemScore, pValue: resamplingPValue(distances, Math.abs(systemScore - baselineScore)) };
}
