import { expect, test } from "vitest";
import { resolveSchedule, toSchedule } from "../../train/schedule/index.ts";
import { curriculumOrder, nextRound } from "./curriculum.ts";
import { drawRound, updateTopicShares } from "./topic-mixture.ts";

const shares = { a: 0.5, b: 0.3, c: 0.2 };
const before = { a: 20, b: 30, c: 40 };

test("the published example: a topic that got harder gains", () => {
  const next = updateTopicShares(shares, before, { a: 22, b: 30, c: 39 });
  expect(next).toEqual({ a: expect.closeTo(0.625, 12), b: expect.closeTo(0.25, 12), c: expect.closeTo(0.125, 12) });
});

test("no change, equal changes, alpha 0 or weights 0 leave the mixture; an absent topic stays absent; shares sum to 1", () => {
  const unchanged = (after: typeof before, spec = {}) => {
    const next = updateTopicShares(shares, before, after, spec);
    for (const topic of ["a", "b", "c"] as const) expect(next[topic]).toBeCloseTo(shares[topic], 12);
  };
  unchanged(before);
  unchanged({ a: 25, b: 35, c: 45 });
  unchanged({ a: 25, b: 3, c: 45 }, { alpha: 0 });
  unchanged({ a: 25, b: 3, c: 45 }, { topicWeights: { a: 0, b: 0, c: 0 } });
  const next = updateTopicShares({ a: 0, b: 0.6, c: 0.4 }, before, { a: 90, b: 3, c: 41 });
  expect(next.a).toBe(0);
  expect(Math.abs(next.b! + next.c! - 1)).toBeLessThan(1e-12);
});

test("log perplexity compares relative changes; factors are clipped", () => {
  // 20 → 40 and 2 → 4 double both: equal in logarithms, a factor of ten apart in perplexity.
  const rare = updateTopicShares({ a: 0.5, b: 0.5 }, { a: 20, b: 2 }, { a: 40, b: 4 }, { deltaSpace: "logppl" });
  expect(rare).toEqual({ a: 0.5, b: 0.5 });
  expect(updateTopicShares({ a: 0.5, b: 0.5 }, { a: 20, b: 2 }, { a: 40, b: 4 }).a).toBeGreaterThan(0.55);
  const clipped = updateTopicShares({ a: 0.5, b: 0.5 }, { a: 20, b: 20 }, { a: 40, b: 1 }, { alpha: 100 });
  expect(clipped.a! / clipped.b!).toBeCloseTo(3 / 0.1, 9);
  expect(() => updateTopicShares(shares, before, { a: 1, b: Number.NaN, c: 1 })).toThrow(/current\.b/);
});

test("a topic that runs out hands its remainder to the others by share", () => {
  const { tokens, unspentTokens } = drawRound(shares, { a: 10, b: 1000, c: 1000 }, 100);
  expect(tokens).toEqual({ a: 10, b: expect.closeTo(54, 9), c: expect.closeTo(36, 9) });
  expect(unspentTokens).toBe(0);
  expect(drawRound(shares, { a: 10, b: 20, c: 30 }, 100)).toEqual({ tokens: { a: 10, b: 20, c: 30 }, unspentTokens: 40 });
});

test("curriculum: losses 1, 3, 2 are taken as 1, 2, 3; ties keep their order", () => {
  expect([...curriculumOrder([1, 3, 2])]).toEqual([0, 2, 1]);
  expect([...curriculumOrder([1, 3, 2], { order: "highToLow" })]).toEqual([1, 2, 0]);
  expect([...curriculumOrder([2, 1, 2, 1])]).toEqual([1, 3, 0, 2]);
  const random = curriculumOrder(new Float32Array(50), { order: "random", seed: 2 });
  expect([...random].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
  expect(random).not.toEqual(curriculumOrder(new Float32Array(50), { order: "random", seed: 3 }));
  expect(() => curriculumOrder([1, Number.POSITIVE_INFINITY])).toThrow(/losses\[1\]/);
});

test("a round takes the next easiest of every pool and never one twice", () => {
  const pool = { order: curriculumOrder([4, 1, 3, 2]), tokens: [10, 10, 10, 10], position: 0 };
  const pools = { x: pool, y: pool };
  const first = nextRound(pools, { x: 20, y: 10 }, 1, 0);
  expect(first.positions).toEqual({ x: 2, y: 1 });
  expect(
    first.documents
      .filter(({ topic }) => topic === "x")
      .map(({ document }) => document)
      .sort(),
  ).toEqual([1, 3]);
  const second = nextRound({ x: { ...pool, position: 2 }, y: { ...pool, position: 1 } }, { x: 100, y: 5 }, 1, 1);
  expect(
    second.documents
      .filter(({ topic }) => topic === "x")
      .map(({ document }) => document)
      .sort(),
  ).toEqual([0, 2]);
  expect(second.positions).toEqual({ x: 4, y: 2 });
});

test("Llama-3-SynE's schedule: warm-up over 10 of 100 steps, then constant", () => {
  const schedule = toSchedule(resolveSchedule({ schedule: "constant", maxLearningRate: 1, warmupSteps: 10 }, 100));
  expect([schedule(5), schedule(10), schedule(99)]).toEqual([0.5, 1, 1]);
});
