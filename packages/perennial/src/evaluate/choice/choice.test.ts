import { expect, test } from "vitest";
import { standardError } from "../significance/standard-error.ts";
import { brierScore } from "./brier.ts";
import { argmax, meanWithError, scoreChoice } from "./choice.ts";
import { groupMean } from "./group.ts";

test("characters, bytes and mutual information choose differently", () => {
  // per character −1, −1.33, −0.9 · per byte −1, −0.67, −0.9 · minus unconditional 1, −1, −2
  const item = { choices: ["abc", "ééé", "abcdefghij"], logLikelihoods: [-3, -4, -9], unconditionalLogLikelihoods: [-4, -3, -7] };
  const winners = (gold: number) => scoreChoice({ ...item, gold: [gold] });
  expect(winners(0)).toEqual({ accuracy: 1, accuracyNormalized: 0, accuracyBytes: 0, accuracyMutualInformation: 1 });
  expect(winners(1)).toEqual({ accuracy: 0, accuracyNormalized: 0, accuracyBytes: 1, accuracyMutualInformation: 0 });
  expect(winners(2)).toEqual({ accuracy: 0, accuracyNormalized: 1, accuracyBytes: 0, accuracyMutualInformation: 0 });
});

test("ties go to the lowest index, any gold answer counts", () => {
  const item = { choices: ["a", "b", "c"], logLikelihoods: [-2, -1, -1] };
  expect(scoreChoice({ ...item, gold: [1] }).accuracy).toBe(1);
  expect(scoreChoice({ ...item, gold: [2] }).accuracy).toBe(0);
  expect(scoreChoice({ ...item, gold: [0, 1] })).toEqual({ accuracy: 1, accuracyNormalized: 1, accuracyBytes: 1 });
  expect(argmax([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(0);
});

test("missing and undefined likelihoods are errors", () => {
  expect(() => scoreChoice({ choices: ["a", "b"], logLikelihoods: [-1], gold: [0] })).toThrow(
    /logLikelihoods: expected one value for each of 2 choices/,
  );
  expect(() => argmax([-1, Number.NaN])).toThrow(/score of choice 1/);
});

test("Brier score", () => {
  expect(brierScore([Math.log(0.7), Math.log(0.2), Math.log(0.1)], 0)).toBeCloseTo(0.09 + 0.04 + 0.01, 12);
  expect(brierScore([-1000, -1000], 1)).toBeCloseTo(0.5, 12);
  expect(brierScore([0, -1e6], 1)).toBe(2);
});

test("a group weighs tasks by size and pools their variance", () => {
  const tasks = [meanWithError([1, 0, 1, 1]), meanWithError([0, 0])];
  expect(groupMean(tasks).mean).toBeCloseTo(0.5, 12);
  expect(groupMean(tasks, "macro").mean).toBeCloseTo(0.375, 12);
  expect(groupMean(tasks).standardError).toBeCloseTo(Math.sqrt(0.75 / 4 / 6), 12); // Σ squared deviations 0.75, N − T = 4
  expect(groupMean([tasks[0]!]).standardError).toBeCloseTo(standardError([1, 0, 1, 1]), 12);
});
