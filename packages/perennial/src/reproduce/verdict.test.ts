import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cell } from "./reproduction.ts";
import { studentT, studentTQuantile } from "./student-t.ts";
import { documentScores, estimateClaim, interval, judge } from "./verdict.ts";

describe("Student's t", () => {
  test.each([
    [0.5, 164.55767348048818, 0.7296926732774399],
    [1, 12.706204736174694, 0.7912855998398473],
    [2, 4.302652729749462, 0.8383764840919798],
    [2.7, 3.3921483831737507, 0.8532736781480773],
    [30, 2.0422724563012378, 0.8982495207309416],
  ])("%d degrees, against scipy", (degrees, quantile, probability) => {
    expect(studentTQuantile(0.975, degrees)).toBeCloseTo(quantile, 8);
    expect(studentT(1.3, degrees)).toBeCloseTo(probability, 12);
  });
  test("the quantile inverts the distribution, which is symmetric", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 0.98, noNaN: true }), fc.double({ min: 0.3, max: 200, noNaN: true }), (p, degrees) => {
        const t = studentTQuantile(p, degrees);
        expect(studentT(t, degrees)).toBeCloseTo(p, 9);
        expect(studentTQuantile(1 - p, degrees)).toBeCloseTo(-t, 6);
      }),
    );
  });
  test("one degree is Cauchy: P = 1/2 + arctan(t)/π", () => {
    expect(studentT(3, 1)).toBeCloseTo(0.5 + Math.atan(3) / Math.PI, 12);
  });
});

describe("the interval", () => {
  test("over seeds by hand: mean 2, s² = 1, half = 4.3027/√3", () => {
    const { value, low, high } = interval([1, 2, 3]);
    expect(value).toBe(2);
    expect(high - value).toBeCloseTo(4.302652729749462 / Math.sqrt(3), 9);
    expect(value - low).toBeCloseTo(high - value, 12);
  });
  test("equal seeds leave the documents: mean 0, s² = 2/3·4 over 4 documents", () => {
    const { value, high } = interval([0, 0, 0], [[-1, 1, -1, 1]]);
    expect(high - value).toBeCloseTo(3.182446305284263 * Math.sqrt(4 / 3 / 4), 9);
  });
  test("both: variances add, degrees after Welch and Satterthwaite", () => {
    const { value, high } = interval([1, 2, 3], [[1, 2, 3]]);
    // V = 1/3 + 1/3, ν = (2/3)²/(2 · (1/3)²/2) = 4
    expect(high - value).toBeCloseTo(2.7764451051977987 * Math.sqrt(2 / 3), 9);
  });
  test("one seed knows nothing of seeds; what never varies is known", () => {
    expect(interval([1])).toEqual({ value: 1, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
    expect(interval([0.5, 0.5, 0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });
  test("it covers the mean of normal numbers 95 times in a hundred", async () => {
    const { stream } = await import("../stream.ts");
    const random = stream(5, "coverage");
    let covered = 0;
    for (let trial = 0; trial < 4000; trial++) {
      const { low, high } = interval([random.normal(), random.normal(), random.normal()]);
      if (low <= 0 && high >= 0) covered++;
    }
    // ± 4 standard errors of a share of 0.95 in 4,000
    expect(Math.abs(covered / 4000 - 0.95)).toBeLessThan(0.014);
  });
});

describe("the verdict", () => {
  test.each([
    [{ above: 0 }, 0.1, 0.3, "held"],
    [{ above: 0 }, -0.1, 0.3, "too noisy to say"],
    [{ above: 0 }, -0.3, -0.1, "did not hold"],
    [{ above: 0 }, 0, 0, "did not hold"],
    [{ above: 0.2 }, 0.1, 0.3, "too noisy to say"],
    [{ within: 0.05 }, -0.04, 0.05, "held"],
    [{ within: 0.05 }, -0.04, 0.06, "too noisy to say"],
    [{ within: 0.05 }, 0.06, 0.08, "did not hold"],
    [{ within: 0.05 }, -0.2, -0.1, "did not hold"],
    [{ within: 0 }, 0, 0, "held"],
    [{ above: 0 }, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, "too noisy to say"],
  ] as const)("%j with %d … %d: %s", (expectation, low, high, verdict) => {
    expect(judge(expectation, { value: (low + high) / 2, low, high })).toBe(verdict);
  });
});

describe("a claim", () => {
  const cell = (loss: number, documents?: readonly number[]): Cell => ({
    measurements: { loss },
    ...(documents === undefined ? {} : { documents: { loss: documents } }),
  });
  const claim = { id: "better", value: (of: (arm: string, key: string) => number) => of("base", "loss") - of("method", "loss") };

  test("is paired: what a seed does to both arms cancels", () => {
    const seeds = [0, 10, 20].map((shift) => new Map([["base", cell(2 + shift)], ["method", cell(1 + shift)]])); // biome-ignore format: pairs
    expect(estimateClaim(claim, seeds)).toEqual({ value: 1, low: 1, high: 1 });
  });
  test("documents count once, in both arms together", () => {
    const seeds = [0, 0].map(() => new Map([["base", cell(2, [1, 3])], ["method", cell(1, [0, 2])]])); // biome-ignore format: pairs
    expect(estimateClaim(claim, seeds)).toEqual({ value: 1, low: 1, high: 1 });
    const apart = [0, 0].map(() => new Map([["base", cell(2, [1, 3, 2])], ["method", cell(1, [1, 1, 1])]])); // biome-ignore format: pairs
    const { value, high } = estimateClaim(claim, apart);
    expect(high - value).toBeCloseTo(4.302652729749462 / Math.sqrt(3), 9);
  });
  test("names the measurement that is missing", () => {
    expect(() => estimateClaim(claim, [new Map([["base", cell(1)]])])).toThrow("claim better: method.loss");
  });
});

test("document scores have the ratio as their mean", () => {
  const documents = [{ lossSum: 10, bytes: 4 }, { lossSum: 30, bytes: 20 }, { lossSum: 1, bytes: 1 }]; // biome-ignore format: pairs
  const scores = documentScores(documents);
  expect(scores.reduce((sum, score) => sum + score, 0) / 3).toBeCloseTo(41 / 25 / Math.LN2, 12);
});
