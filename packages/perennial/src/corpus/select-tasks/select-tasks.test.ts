import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { kendallTauA, ranks, spearman } from "./correlation.ts";
import { aggregateScore, orderingConsistency, taskQuality } from "./finetasks.ts";
import { compareCorpora, promptedQuality, rescalePoints, WINDOW_30BT, WINDOW_100BT } from "./hplt-e.ts";

test("rank statistics in closed form", () => {
  expect(spearman([1, 2, 3, 4], [0.1, 0.2, 0.7, 0.9])).toBe(1);
  expect(spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])).toBeCloseTo(1 - (6 * 4) / (5 * 24), 12);
  expect(spearman([1, 2, 3], [5, 5, 5])).toBeNaN();
  expect(kendallTauA([1, 2, 3], [3, 2, 1])).toBe(-1);
  expect(kendallTauA([1, 2, 3, 4], [1, 2, 4, 3])).toBeCloseTo(4 / 6, 12);
  expect(kendallTauA([1, 1], [1, 2])).toBe(0);
  expect(ranks([30, 10, 30, 20])).toEqual([3.5, 1, 3.5, 2]);
});

const steps = Array.from({ length: 20 }, (_, i) => (i + 1) * 1000);
const random = stream(11, "curves");
const curve = (at: (progress: number) => number, noise: number) => steps.map((_, i) => at(i / 19) + noise * random.normal());
const curves = (at: (progress: number) => number, noise: number) => ({
  steps,
  models: [0, 0.02, 0.04].map((better) => curve((progress) => at(progress) + better * progress, noise)),
  seeds: [1, 2, 3, 4].map(() => curve(at, noise)),
  baseline: 0.25,
});

test("a rising task passes; a noisy, a falling and a random one fail what they should", () => {
  const rising = taskQuality(curves((progress) => 0.25 + 0.3 * progress, 0.005));
  expect(rising.failed).toEqual([]);
  expect(rising.monotonicity).toBeGreaterThan(0.95);
  expect(taskQuality(curves((progress) => 0.4 + 0.3 * progress, 0.1)).failed).toContain("signalToNoise");
  expect(taskQuality({ ...curves((progress) => 0.4 + 0.3 * progress, 0.1), generative: true }).failed).not.toContain("signalToNoise");
  expect(taskQuality(curves((progress) => 0.6 - 0.2 * progress, 0.005)).failed).toEqual(["monotonicity"]);
  expect(taskQuality(curves(() => 0.2, 0.005)).failed).toContain("nonRandomness");
});

test("SNR and non-randomness in closed form", () => {
  const flat = {
    steps: [1, 2],
    models: [[0.3, 0.5]],
    seeds: [
      [0.4, 0.4],
      [0.6, 0.6],
    ],
    baseline: 0.2,
  };
  const quality = taskQuality(flat);
  expect(quality.signalToNoise).toBeCloseTo(0.5 / 0.1, 12);
  expect(quality.nonRandomness).toBeCloseTo(0.3 / 0.1, 12);
});

test("ordering consistency counts from a step on", () => {
  const models = [
    [1, 3, 3],
    [2, 2, 2],
    [3, 1, 1],
  ];
  expect(orderingConsistency([1, 2, 3], models)).toBe(0);
  expect(orderingConsistency([1, 2, 3], models, 2)).toBe(1);
});

test("scores are rescaled, averaged within categories and then over them", () => {
  const tasks = [
    { category: "reasoning", score: 0.5, baseline: 0.25 },
    { category: "reasoning", score: 0.1, baseline: 0.25 },
    { category: "reading", score: 0.8, baseline: 0 },
  ];
  expect(aggregateScore(tasks)).toBeCloseTo((1 / 6 + 0.8) / 2, 12);
  expect([rescalePoints(60, 25), rescalePoints(20, 25)]).toEqual([expect.closeTo(46.67, 2), 0]);
});

const prompted = (at: (progress: number) => number, noise: number, promptSpread: number) => ({
  steps,
  scores: [0, 1, 2].map((corpus) =>
    steps.map((_, i) => [0, 1, 2, 3].map((prompt) => at(i / 19) + corpus + promptSpread * prompt + noise * random.normal())),
  ),
  baseline: 25,
});

test("HPLT-e: of a monotone, a noisy and a chance task only the first passes", () => {
  const monotone = promptedQuality(
    prompted((progress) => 40 + 10 * progress, 0.2, 0.5),
    WINDOW_30BT,
  );
  expect(monotone.failed).toEqual([]);
  expect(monotone.ranking).toBeGreaterThan(0.9);
  expect(monotone.promptSwitching).toBeLessThan(50);
  expect(
    promptedQuality(
      prompted((progress) => 40 + 10 * progress, 15, 0.5),
      WINDOW_100BT,
    ).failed,
  ).toEqual(expect.arrayContaining(["monotonicity", "signalToNoise"]));
  expect(
    promptedQuality(
      prompted(() => 20, 0.3, 0),
      WINDOW_30BT,
    ).failed,
  ).toEqual(expect.arrayContaining(["monotonicity", "nonRandomness"]));
  expect(
    promptedQuality(
      prompted((progress) => 40 + 10 * progress, 0.2, 20),
      WINDOW_30BT,
    ).failed,
  ).toContain("promptSensitivity");
});

test("corpora are compared by mean score, mean rank and Borda count", () => {
  const scores = { fra: { a: 30, b: 20, c: 10 }, spa: { a: 10, b: 40, c: 10 } };
  expect(compareCorpora(scores)).toEqual([
    { corpus: "a", meanScore: 20, meanRank: 1.75, borda: 2 },
    { corpus: "b", meanScore: 30, meanRank: 1.5, borda: 3 },
    { corpus: "c", meanScore: 10, meanRank: 2.75, borda: 0 },
  ]);
});
