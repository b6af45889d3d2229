/**
 * Paired bootstrap test of two systems on the same segments, as sacreBLEU 2.6.0 does it: both systems are scored on the same B resamples,
 *   d_b = |score_system,b − score_baseline,b|,   p = (#{ d_b − mean(d) > |observed difference| } + 1)/(B + 1)   two-sided
 * and the one-sided form of Koehn (2004): the share of resamples in which the observed winner loses or ties.
 * Same draws as NumPy's PCG64, so p agrees to the last digit. sacreBLEU re-scores resamples in single precision, ours in double: a
 * resample within ~1e-5 of the observed difference may fall on the other side, which moves p by 1/(B + 1).
 */
import { FieldError } from "../../errors.ts";
import {
  type ConfidenceInterval,
  forEachResample,
  percentileInterval,
  type ResampleOptions,
  resamplingPValue,
  type ScoreOfSums,
  type SegmentRows,
  SegmentTable,
} from "./resample.ts";

export interface PairedBootstrap {
  readonly baseline: ConfidenceInterval;
  readonly system: ConfidenceInterval;
  /** system − baseline, with its own interval. */
  readonly difference: ConfidenceInterval;
  /** Two-sided. */
  readonly pValue: number;
  /** Koehn's: share of resamples in which the observed winner does not win. 1 if both score the same. */
  readonly oneSidedPValue: number;
}

/** `score` maps summed statistics to a number (`(sums) => metric.score(sums).score` of a `CorpusMetric`). */
export function pairedBootstrap(
  baseline: SegmentRows,
  system: SegmentRows,
  score: ScoreOfSums,
  options: ResampleOptions = {},
): PairedBootstrap {
  const [baselineTable, systemTable] = pairedTables(baseline, system);
  const [baselineScore, systemScore] = [score(baselineTable.total()), score(systemTable.total())];
  const observed = systemScore - baselineScore;

  const baselineScores: number[] = [];
  const systemScores: number[] = [];
  forEachResample(baselineTable.numSegments, options, (indices) => {
    baselineScores.push(score(baselineTable.sum(indices)));
    systemScores.push(score(systemTable.sum(indices)));
  });
  const differences = systemScores.map((value, b) => value - baselineScores[b]!);
  const distances = differences.map(Math.abs);
  const meanDistance = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  const notWon = differences.filter((difference) => !(difference * Math.sign(observed) > 0)).length;
  return {
    baseline: percentileInterval(baselineScore, baselineScores),
    system: percentileInterval(systemScore, systemScores),
    difference: percentileInterval(observed, differences),
    pValue: resamplingPValue(
      distances.map((distance) => distance - meanDistance),
      Math.abs(observed),
    ),
    oneSidedPValue: notWon / differences.length,
  };
}

/** Both systems' tables; throws unless they hold the same number of segments. */
export function pairedTables(baseline: SegmentRows, system: SegmentRows): [SegmentTable, SegmentTable] {
  if (baseline.length !== system.length)
    throw new FieldError("EVALUATE_SEGMENTS", {
      at: "paired test system",
      expected: `the baseline's ${baseline.length} segments`,
      received: system.length,
      todo: "score both systems on the same items",
    });
  return [new SegmentTable(baseline, "paired test baseline"), new SegmentTable(system, "paired test system")];
}
