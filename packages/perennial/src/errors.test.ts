import { expect, test } from "vitest";
import { FieldError, nearest, shown } from "./errors.ts";

test("a field error says where, expected, received and what to do", () => {
  const error = new FieldError("MIXTURE_SHARE", {
    at: "recipe.yaml:14 mixture.sources[1].share",
    expected: "a number from 0 to 1",
    received: 25,
    todo: "write 0.25 for a quarter of the tokens",
  });
  expect(error.message).toBe(
    "recipe.yaml:14 mixture.sources[1].share: expected a number from 0 to 1, received 25. Write 0.25 for a quarter of the tokens.",
  );
  expect(error.code).toBe("MIXTURE_SHARE");
});

test("nearest finds slips and refuses strangers", () => {
  expect(nearest("warmupStep", ["warmupSteps", "totalSteps"])).toBe("warmupSteps");
  expect(nearest("banana", ["warmupSteps", "totalSteps"])).toBeUndefined();
});

test("shown shortens long values and survives cycles", () => {
  expect(shown("x".repeat(500)).length).toBeLessThanOrEqual(120);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(shown(cycle)).toBe("[object Object]");
});
