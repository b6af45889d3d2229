import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averageAccuracy, averageIncrementalAccuracy } from "./average-accuracy.ts";
import { backwardTransfer } from "./backward-transfer.ts";
import { domainSequence, transferByLag } from "./domain-sequence.ts";
import { forgetting } from "./forgetting.ts";
import { forwardTransfer } from "./forward-transfer.ts";
import { fuar } from "./fuar.ts";
import { intransigence } from "./intransigence.ts";
import { learningAccuracy } from "./learning-accuracy.ts";
import { probeChange, retention } from "./retention.ts";
import { scoreMatrix } from "./score-matrix.ts";
import { stabilityGap } from "./stability-gap.ts";
import { transferAverageLast } from "./transfer-avg-last.ts";

describe("the survey's golden case", () => {
  const after = [
    [0.9, 0.3, 0.2],
    [0.7, 0.8, 0.3],
    [0.6, 0.75, 0.85],
  ];
  const matrix = scoreMatrix({ after, before: [0.1, 0.2, 0.25], higherIsBetter: true });
  test("average accuracy", () => {
    expect([0, 1, 2].map((t) => averageAccuracy(matrix, t).toFixed(6))).toEqual(["0.900000", "0.750000", "0.733333"]);
    expect(averageIncrementalAccuracy(matrix)).toBeCloseTo(0.794444, 6);
    expect(learningAccuracy(matrix)).toBeCloseTo(0.85, 12);
  });
  test("transfer and forgetting", () => {
    expect(forgetting(matrix)).toBeCloseTo(0.175, 12);
    expect(backwardTransfer(matrix)).toBeCloseTo(-0.175, 12);
    expect(backwardTransfer(matrix, { divisor: "tasks" })).toBeCloseTo(-0.116667, 6);
    expect(forwardTransfer(matrix)).toBeCloseTo(0.075, 12);
    expect(intransigence(matrix, 0.9)).toBeCloseTo(0.05, 12);
  });
  test("losses become scores by their sign", () => {
    const losses = scoreMatrix({ after: after.map((row) => row.map((x) => -x)), before: [-0.1, -0.2, -0.25], higherIsBetter: false });
    expect(losses).toEqual(matrix);
  });
});

test("golden case of the reference sheet", () => {
  const after = [
    [0.9, 0.3, 0.2],
    [0.8, 0.85, 0.25],
    [0.7, 0.8, 0.9],
  ];
  const matrix = scoreMatrix({ after, before: [0.1, 0.1, 0.1], higherIsBetter: true });
  expect(averageAccuracy(matrix)).toBeCloseTo(0.8, 12);
  expect(backwardTransfer(matrix)).toBeCloseTo(-0.125, 12);
  expect(forwardTransfer(matrix)).toBeCloseTo(0.175, 12);
  expect(forwardTransfer(matrix, { divisor: "tasks" })).toBeCloseTo(0.35 / 3, 12);
  expect(forgetting(matrix, { peakFrom: "first" })).toBeCloseTo(0.125, 12);
});

test("transfer, average and last", () => {
  const after = [
    [0.9, 0.3, 0.2],
    [0.8, 0.85, 0.25],
    [0.7, 0.8, 0.9],
  ];
  const { transfer, average, last } = transferAverageLast(scoreMatrix({ after, higherIsBetter: true }));
  expect(transfer).toBeCloseTo((0.3 + (0.2 + 0.25) / 2) / 2, 12);
  expect(average).toBeCloseTo((2.4 + 1.95 + 1.35) / 9, 12);
  expect(last).toBeCloseTo(0.8, 12);
});

test("a zero-shot peak counts only if asked for", () => {
  const matrix = scoreMatrix({ after: [[1, 9, 0], [1, 5, 0], [1, 4, 0]], higherIsBetter: true }); // biome-ignore format: a matrix
  expect(forgetting(matrix)).toBe(0.5);
  expect(forgetting(matrix, { peakFrom: "first" })).toBe(2.5);
});

const matrices = fc
  .integer({ min: 2, max: 6 })
  .chain((T) => fc.array(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: T, maxLength: T }), { minLength: T, maxLength: T }));

test("forgetting is never below −BWT, for each choice of peak", () => {
  fc.assert(
    fc.property(matrices, (after) => {
      const matrix = scoreMatrix({ after, higherIsBetter: true });
      expect(forgetting(matrix)).toBeGreaterThanOrEqual(-backwardTransfer(matrix) - 1e-9);
      expect(forgetting(matrix, { peakFrom: "first" })).toBeGreaterThanOrEqual(forgetting(matrix) - 1e-9);
    }),
  );
});

test("a constant learner neither forgets nor transfers", () => {
  const matrix = scoreMatrix({ after: [[1, 2], [1, 2]], before: [1, 2], higherIsBetter: true }); // biome-ignore format: a matrix
  expect([forgetting(matrix), backwardTransfer(matrix), forwardTransfer(matrix)]).toEqual([0, 0, 0]);
});

test("missing scores are named when they are needed, and only then", () => {
  const matrix = scoreMatrix({ after: [[1, Number.NaN], [0.5, 1]], higherIsBetter: true }); // biome-ignore format: a matrix
  expect(backwardTransfer(matrix)).toBe(-0.5);
  expect(() => forwardTransfer(matrix)).toThrow(/after\[0\]\[1\]: expected a measured score/);
  expect(() => scoreMatrix({ after: [[1, 2], [1]], higherIsBetter: true })).toThrow(/after\[1\]: expected 2 scores/);
  expect(backwardTransfer(scoreMatrix({ after: [[1]], higherIsBetter: true }))).toBeNaN();
});

test("retention and probes", () => {
  const { change, relativeChange, retention: kept } = retention(0.5, 0.4);
  expect(change).toBeCloseTo(-0.1, 12);
  expect(relativeChange).toBeCloseTo(-0.2, 12);
  expect(kept).toBeCloseTo(0.8, 12);
  expect(probeChange([28.8, 10], [2, 10])).toBeCloseTo(-13.4, 12);
  expect(() => probeChange([1], [])).toThrow(RangeError);
});

test("FUAR", () => {
  const invariant = [{ before: 0.3, after: 0.25 }];
  expect(fuar({ invariant, updated: [{ before: 0.05, after: 0.15 }], acquired: [{ before: 0.02, after: 0.12 }] })).toBeCloseTo(0.25, 12);
  expect(fuar({ invariant, updated: [{ before: 0.05, after: 0.05 }], acquired: [{ before: 0.1, after: 0.02 }] })).toBeNull();
});

describe("domain sequence", () => {
  const report = domainSequence([[10, 20], [5, 18], [8, 6]]); // biome-ignore format: a matrix
  test("hand matrix", () => {
    expect(report).toMatchObject({ zeroShot: [10, 20], continual: [5, 6], last: [8, 6], forgotten: [3, 0] });
    expect(report.backward).toEqual([null, { perplexity: 8, zeroShot: 10, gain: 2, gainNats: Math.log(10 / 8) }]);
    expect(report.forward).toEqual([{ perplexity: 18, zeroShot: 20, gain: 2, gainNats: Math.log(20 / 18) }, null]);
  });
  test("a learner that does not train transfers nothing", () => {
    const { forgotten, backward, forward, continual } = domainSequence(Array.from({ length: 4 }, () => [3, 4, 5]));
    expect(forgotten).toEqual([0, 0, 0]);
    expect(continual).toEqual([3, 4, 5]);
    expect([...backward, ...forward].filter((one) => one !== null).every(({ gain, gainNats }) => gain === 0 && gainNats === 0)).toBe(true);
  });
  test("159 domains have 12,561 pairs of a stage and an earlier domain", () => {
    const lags = transferByLag(Array.from({ length: 160 }, () => new Array<number>(159).fill(2)));
    expect(lags.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(12_561);
    expect(
      transferByLag([
        [10, 20, 30],
        [5, 18, 30],
        [8, 6, 30],
        [9, 9, 9],
      ]),
    ).toEqual([
      // biome-ignore format: a matrix
      { lag: 1, gain: (2 + 11) / 2, pairs: 2 },
      { lag: 2, gain: 1, pairs: 1 },
    ]);
  });
  test("a ragged matrix is refused", () =>
    expect(() =>
      domainSequence([
        [1, 2],
        [1, 2],
      ]),
    ).toThrow(/perplexities\[0\]: expected 1 domains/));
});

describe("stability gap", () => {
  const curve = (...scores: number[]) => scores.map((score, tokens) => ({ tokens, score }));
  test("falls, recovers, rises", () => {
    expect(stabilityGap(curve(0, -2, -1, 1))).toEqual({ depth: 2, location: 1, recovery: 3, area: 3, peak: { tokens: 3, score: 1 } });
  });
  test("never recovers", () => expect(stabilityGap(curve(0, -1, -2))).toMatchObject({ depth: 2, location: 2, recovery: null, area: 3 }));
  test("never falls", () => expect(stabilityGap(curve(0, 1, 0))).toMatchObject({ depth: 0, location: null, recovery: null, area: 0 }));
  test("area weighs by tokens", () => {
    expect(
      stabilityGap([
        { tokens: 0, score: 1 },
        { tokens: 10, score: 0 },
        { tokens: 15, score: 0.5 },
      ]).area,
    ).toBe(12.5);
  });
  test("tokens must ascend", () =>
    expect(() =>
      stabilityGap([
        { tokens: 5, score: 0 },
        { tokens: 5, score: 0 },
      ]),
    ).toThrow(/more than 5/));
});
