import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bleuMetric } from "../translation/bleu.ts";
import { chrfMetric } from "../translation/chrf.ts";
import { type CorpusMetric, corpusStatistics } from "../translation/corpus-metric.ts";
import { approximateRandomization } from "./approximate-randomization.ts";
import { bootstrap, bootstrapMean, bootstrapRatio } from "./bootstrap.ts";
import { erfc } from "./erfc.ts";
import { holm } from "./holm.ts";
import { mcnemar, mcnemarOfItems } from "./mcnemar.ts";
import { NumpyRandom } from "./numpy-random.ts";
import { pairedBootstrap } from "./paired-bootstrap.ts";
import { mean, standardError } from "./standard-error.ts";

interface Golden {
  references: string[];
  systems: Record<string, string[]>;
  tests: {
    test: "bs" | "ar";
    samples: number;
    metric: string;
    signature: string;
    rows: { system: string; score: number; pValue: number | null; mean: number | null; halfWidth: number | null }[];
  }[];
  draws: Record<string, { choice10: number[]; bits: number[]; choice1000: number[]; choice3e9: number[] }>;
  mcnemar: { b: number; c: number; exact: number; midP: number; chi2: [number, number]; chi2P: [number, number] }[];
  erfc: [number, number][];
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden/significance.json", import.meta.url), "utf8"));
const references = golden.references.map((reference) => [reference]);
const metrics: Record<string, CorpusMetric<{ score: number }>> = { BLEU: bleuMetric(), "chrF2++": chrfMetric({ wordOrder: 2 }) };

test.each(Object.entries(golden.draws))("NumPy's draws from seed %s", (seed, draws) => {
  const random = new NumpyRandom(Number(seed));
  expect(draws.choice10.map(() => random.integer(10))).toEqual(draws.choice10);
  expect(draws.bits.map(() => Number(random.boolean()))).toEqual(draws.bits);
  expect(draws.choice1000.map(() => random.integer(1000))).toEqual(draws.choice1000);
  expect(draws.choice3e9.map(() => random.integer(3e9))).toEqual(draws.choice3e9);
});

test("the first draws of seed 12345", () => {
  const random = new NumpyRandom(12345);
  expect(Array.from({ length: 20 }, () => random.integer(10))).toEqual([6, 2, 7, 3, 2, 7, 6, 6, 9, 3, 8, 3, 5, 5, 2, 1, 2, 6, 6, 9]);
  expect(random.integer(1)).toBe(0);
  expect(() => random.integer(0)).toThrow(RangeError);
  expect(() => new NumpyRandom(-1)).toThrow(RangeError);
});

const bootstraps = golden.tests.filter(({ test }) => test === "bs");
test.each(bootstraps.map((one) => [one.metric, one.samples, one] as const))(
  "%s, paired bootstrap of %i: sacreBLEU's p-values",
  (name, resamples, one) => {
    const metric = metrics[name]!;
    const score = (sums: ArrayLike<number>) => metric.score(sums).score;
    const rowsOf = (system: string) => corpusStatistics(metric, golden.systems[system]!, references);
    const [base, ...others] = one.rows;
    expect(metric.signature({ numReferences: 1, bootstrapResamples: resamples, seed: 12345 })).toBe(one.signature);
    for (const other of others) {
      const result = pairedBootstrap(rowsOf("base"), rowsOf(other.system), score, { resamples });
      expect(result.pValue).toBe(other.pValue);
      expect(result.system.score).toBeCloseTo(other.score, 10);
      expect(result.system.mean).toBeCloseTo(other.mean!, 4); // the reference resamples in single precision
      expect(result.system.halfWidth).toBeCloseTo(other.halfWidth!, 4);
      expect(result.baseline.mean).toBeCloseTo(base!.mean!, 4);
      expect(result.baseline.halfWidth).toBeCloseTo(base!.halfWidth!, 4);
    }
    const interval = bootstrap(rowsOf("base"), score, { resamples });
    expect(interval.halfWidth).toBeCloseTo(base!.halfWidth!, 4);
  },
);

const randomizations = golden.tests.filter(({ test }) => test === "ar");
test.each(randomizations.map((one) => [one.metric, one.samples, one] as const))(
  "%s, %i randomizations: sacreBLEU's p-values",
  (name, trials, one) => {
    const metric = metrics[name]!;
    const rowsOf = (system: string) => corpusStatistics(metric, golden.systems[system]!, references);
    expect(metric.signature({ numReferences: 1, randomizationTrials: trials, seed: 12345 })).toBe(one.signature);
    for (const other of one.rows.slice(1)) {
      const result = approximateRandomization(rowsOf("base"), rowsOf(other.system), (sums) => metric.score(sums).score, { trials });
      expect(result.pValue).toBe(other.pValue);
      expect(result.systemScore).toBeCloseTo(other.score, 10);
    }
  },
);

test("a system against itself differs by nothing", () => {
  const rows = [[1], [3], [2]];
  const result = pairedBootstrap(rows, rows, (sums) => sums[0]!);
  expect(result).toMatchObject({ pValue: 1 / 1001, oneSidedPValue: 1, difference: { score: 0, low: 0, high: 0 } });
});

test("a system that is better on every segment wins every resample", () => {
  const result = pairedBootstrap([[1], [3], [2]], [[2], [4], [3]], (sums) => sums[0]! / 3);
  expect(result.oneSidedPValue).toBe(0);
  expect(result.difference.score).toBeCloseTo(1, 12);
});

test("systems with different items are refused", () => {
  expect(() => pairedBootstrap([[1]], [[1], [2]], (sums) => sums[0]!)).toThrow(/the baseline's 1 segments/);
  expect(() => bootstrap([[1, 2], [1]], (sums) => sums[0]!)).toThrow(/\[1\]: expected 2 statistics/);
  expect(() => bootstrap([], (sums) => sums[0]!)).toThrow(/at least one segment/);
  expect(() => bootstrapRatio([1], [1, 2])).toThrow(/one for each numerator/);
});

test("the interval of a mean follows the normal approximation", () => {
  const values = Array.from({ length: 400 }, (_, i) => Math.sin(i * 12.9898) + 2);
  const { score, low, high, halfWidth } = bootstrapMean(values, { resamples: 2000 });
  expect(score).toBeCloseTo(mean(values), 12);
  expect(halfWidth / (1.96 * standardError(values))).toBeGreaterThan(0.9);
  expect(halfWidth / (1.96 * standardError(values))).toBeLessThan(1.1);
  expect(low).toBeLessThan(score);
  expect(high).toBeGreaterThan(score);
  expect(bootstrapMean(values, { confidence: 0.5 }).halfWidth).toBeLessThan(halfWidth / 2);
});

test("a ratio of sums resamples numerator and denominator together", () => {
  const { score, low, high } = bootstrapRatio([2, 20, 200], [1, 10, 100]);
  expect([score, low, high]).toEqual([2, 2, 2]);
  expect(bootstrapRatio([1, 3], [1, 1]).score).toBe(2);
});

test.each(golden.mcnemar)("McNemar b=$b c=$c equals SciPy", ({ b, c, exact, midP, chi2, chi2P }) => {
  const result = mcnemar(b, c);
  expect(result.exact).toBeCloseTo(exact, 12);
  expect(result.midP).toBeCloseTo(midP, 12);
  if (b + c === 0) return;
  expect(result.chiSquaredCorrected.statistic).toBeCloseTo(chi2[0], 12);
  expect(result.chiSquared.statistic).toBeCloseTo(chi2[1], 12);
  expect(result.chiSquaredCorrected.pValue / chi2P[0]).toBeCloseTo(1, 12);
  expect(result.chiSquared.pValue / chi2P[1]).toBeCloseTo(1, 12);
});

test("McNemar of the specification", () => {
  const result = mcnemar(10, 2);
  expect(result.exact).toBeCloseTo(0.03857421875, 12);
  expect(result.midP).toBeCloseTo(0.0224609375, 12);
  expect(result.chiSquaredCorrected.statistic).toBeCloseTo(4.083333, 6);
  expect(result.chiSquaredCorrected.pValue).toBeCloseTo(0.043308, 6);
  expect(result.chiSquared.statistic).toBeCloseTo(5.333333, 6);
  expect(result.chiSquared.pValue).toBeCloseTo(0.020921, 6);
  expect(mcnemarOfItems([true, true, false], [false, true, false])).toEqual(mcnemar(1, 0));
});

test.each(golden.erfc)("erfc(%f)", (x, value) => expect(erfc(x) / value).toBeCloseTo(1, 12));

test("Holm", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, value] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[i]).toBeCloseTo(value, 12);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

test("standard error uses n − 1", () => {
  expect(standardError([1, 0, 1, 1])).toBeCloseTo(0.25, 12);
  expect(standardError([1])).toBeNaN();
});
