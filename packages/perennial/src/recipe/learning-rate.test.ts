import { expect, test } from "vitest";
import { learningRateOf } from "./learning-rate.ts";
import { planOf } from "./plan.ts";
import { resolveRecipe } from "./resolve.ts";

test("a stage rewarms, resets or keeps the learning rate, by name", () => {
  const stage = (name: string, learningRate: "rewarm" | "reset" | "keep") => ({
    ...{ name, mixture: { sources: [{ corpus: "a" }] }, onStart: { learningRate } },
    train: { steps: 100, schedule: { schedule: "cosine" as const, maxLearningRate: 1, minLearningRate: 0.1, warmupSteps: 10 } },
  });
  const stages = [stage("one", "rewarm"), stage("two", "rewarm"), stage("three", "reset"), stage("four", "keep")];
  const [recipe] = resolveRecipe({ name: "x", model: "m", corpora: { a: { path: "a" } }, stages }).variants;
  const rate = learningRateOf(recipe, planOf(recipe));
  // Warm-up from 0 over 10 steps; the cosine ends at the minimum after 100.
  expect([0, 5, 10, 100, 105, 110].map(rate)).toEqual([0, 0.5, 1, 0, 0.5, 1]);
  expect(rate(200)).toBe(1);
  expect(rate(250)).toBeCloseTo(0.55, 12);
  expect([300, 399].map(rate)).toEqual([0.1, 0.1]);
});
