import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluatePower, fitPower, fitTwoPowers } from "./power-law.ts";
import { turningPoint } from "./turning-point.ts";

const domainLoss = {
  "460M": { losses: [1.4628, 1.4844, 1.5122, 1.5387], at25: 1.5561 },
  "940M": { losses: [1.3723, 1.391, 1.4155, 1.4385], at25: 1.4538 },
  "1.6B": { losses: [1.3242, 1.3416, 1.3643, 1.3854], at25: 1.3993 },
  "3.1B": { losses: [1.2585, 1.275, 1.2965, 1.317], at25: 1.3306 },
};

test.each(Object.entries(domainLoss))("the ratio law of %s, fitted on four published losses, predicts the fifth", (_, { losses, at25 }) => {
  const fit = fitPower([1, 3 / 4, 1 / 2, 1 / 3], losses);
  expect(Math.abs(evaluatePower(fit, 0.25) - at25)).toBeLessThan(2e-4);
  expect(fit.rSquared).toBeGreaterThan(0.9999);
});

test("one power comes back exactly, of either sign", () => {
  for (const [a, s, b] of [
    [-0.5, 0.37, 2],
    [0.3, -1.2, 1],
    [4, 2.3, -1],
  ] as const) {
    const x = [1, 2, 5, 9, 20];
    const { terms, constant } = fitPower(
      x,
      x.map((v) => a * v ** s + b),
    );
    expect(terms[0]!.exponent).toBeCloseTo(s, 7);
    expect(terms[0]!.coefficient).toBeCloseTo(a, 6);
    expect(constant).toBeCloseTo(b, 6);
  }
});

test("two powers meet a rise-then-fall curve to 1e-7", () => {
  const x = Array.from({ length: 40 }, (_, i) => 2.5 * (i + 1));
  const y = x.map((v) => 0.02 * v ** 0.5 - 0.01 * v ** 0.63 + 0.004);
  const fit = fitTwoPowers(x, y);
  expect(fit.mse).toBeLessThan(1e-14);
  expect(evaluatePower(fit, 50)).toBeCloseTo(y[19]!, 7);
});

const power = (coefficient: number, exponent: number) => ({ coefficient, exponent });

test("closed form s1 = s2 = 1/2, s3 = 1: T0 = ((a1/λ + a2)/(−2 a3))²", () => {
  const at = (lambda: number) => turningPoint([power(-0.5, 0.5)], [power(0.02, 0.5), power(-0.001, 1)], lambda);
  expect(at(1000)).toMatchObject({ kind: "at", tokens: expect.closeTo(95.0625, 9) });
  expect(at(1e12)).toMatchObject({ kind: "at", tokens: expect.closeTo(100, 6) });
});

test("general root, where iterating the implicit formula collapses to 0", () => {
  const at = (lambda: number) => turningPoint([power(-0.05, 0.3)], [power(0.02, 0.5), power(-0.01, 0.6)], lambda);
  expect(at(1000)).toMatchObject({ kind: "at", tokens: expect.closeTo(164.49, 3) });
  expect(at(1e12)).toMatchObject({ kind: "at", tokens: expect.closeTo(165.382, 3) });
});

test("no sign change: from the start when falling everywhere, never when rising everywhere", () => {
  expect(turningPoint([power(-1, 0.5)], [power(-0.1, 0.4), power(-0.1, 0.7)], 100)).toEqual({ kind: "from-start", untilTokens: null });
  expect(turningPoint([power(-1e-9, 0.5)], [power(0.1, 0.4), power(0.1, 0.7)], 100)).toEqual({ kind: "never" });
});

test("a sum that turns up again says where", () => {
  // dF/dT = −1 + 3/T − ... : + → − and then − → + again.
  const turning = turningPoint([power(1e-3, 2)], [power(4, 0.5), power(-1, 1)], 1);
  expect(turning).toMatchObject({ kind: "at" });
  if (turning.kind === "at") expect(turning.untilTokens).toBeGreaterThan(turning.tokens);
});

test("the slope is positive just before a turning point and negative just after", () => {
  const coefficient = fc.double({ min: -1, max: 1, noNaN: true }).filter((c) => Math.abs(c) > 1e-3);
  const exponent = fc.double({ min: 0.05, max: 1.5, noNaN: true });
  fc.assert(
    fc.property(coefficient, exponent, coefficient, exponent, coefficient, exponent, (a1, s1, a2, s2, a3, s3) => {
      const turning = turningPoint([power(a1, s1)], [power(a2, s2), power(a3, s3)], 10);
      if (turning.kind !== "at" || turning.tokens < 1e-6 || turning.tokens > 1e6) return;
      const slope = (t: number) => a1 * s1 * t ** (s1 - 1) + 10 * (a2 * s2 * t ** (s2 - 1) + a3 * s3 * t ** (s3 - 1));
      const before = slope(turning.tokens * (1 - 1e-6));
      const after = slope(turning.tokens * (1 + 1e-6));
      expect(before >= 0 && after <= 0).toBe(true);
    }),
    { seed: 7 },
  );
});
