import { expect, test } from "vitest";
import { cmrLoss, criticalRatio, fitCmr } from "./cmr.ts";
import type { CmrData } from "./cmr-curves.ts";
import { evaluatePower, fitPower } from "./power-law.ts";

const RATIOS = [1 / 8, 1 / 4, 1 / 3, 1 / 2, 3 / 4];
const base = { domain: 3, general: 2 };

/** Runs whose general loss peaks at T0(R) = ((R + 0.1)/0.05)², in hundredths of `budget`; λ → ∞ makes T0 the peak. */
function runs(budget: number, ratios = RATIOS): CmrData {
  const points = ratios.flatMap((ratio) => Array.from({ length: 50 }, (_, i) => ({ ratio, T: (i + 1) * 2 })));
  const at = (loss: (ratio: number, T: number) => number) =>
    points.map(({ ratio, T }) => ({ ratio, tokens: (T * budget) / 100, loss: loss(ratio, T) }));
  const peak = (ratio: number) => ((ratio + 0.1) / 0.05) ** 2;
  return {
    base,
    domain: at((ratio, T) => base.domain - 0.3 * ratio ** 0.3 * T ** 0.25),
    general: at((ratio, T) => base.general + 1e-3 * (Math.sqrt(T) - T / (2 * Math.sqrt(peak(ratio))))),
  };
}

test.each([
  ["460M", [0.22524761, 0.26944345, -0.48139982], 0.29762, 0.51577],
  ["940M", [0.7520627, 0.13720245, -1.06581937], 0.34886, 0.53838],
  ["1.6B", [-2.36384831, -0.15125569, 1.59223649], 0.41434, 0.56678],
  ["3.1B", [-2.5368197, -0.42071423, 0.84375368], 0.47828, 0.59519],
] as const)("the published CMR law of %s at T = 100 and T = 250", (_, [coefficient, exponent, constant], at100, at250) => {
  const law = { terms: [{ coefficient, exponent }], constant };
  expect(evaluatePower(law, 100)).toBeCloseTo(at100, 5);
  expect(evaluatePower(law, 250)).toBeCloseTo(at250, 5);
});

test("exact pairs R = 0.05·T0^0.5 − 0.1 give 0.40 at T = 100", () => {
  const T0 = [4, 25, 49, 81, 144];
  const law = fitPower(
    T0,
    T0.map((t) => 0.05 * t ** 0.5 - 0.1),
  );
  expect(evaluatePower(law, 100)).toBeCloseTo(0.4, 8);
});

test("the whole procedure finds the planted critical ratio, in any unit of tokens", () => {
  for (const budget of [100, 20e9]) {
    const fit = fitCmr(runs(budget), { lambda: 1e9 });
    expect(fit.tokenUnit).toBe(budget / 100);
    expect(fit.critical).toEqual({ ratio: expect.closeTo(0.4, 4), boundBy: "turning-point", extrapolates: false });
    expect(fit.verdicts.map((verdict) => verdict.feasible)).toEqual([true, true, true, false, false]);
    expect(fit.verdicts.at(-1)!.because).toMatch(/only after the budget/);
    expect(criticalRatio(fit, budget * 0.5).ratio).toBeCloseTo(0.05 * Math.sqrt(50) - 0.1, 3);
    expect(criticalRatio(fit, budget * 100)).toMatchObject({ ratio: 1, extrapolates: true });
    expect(fit.goodness.domain.rSquared).toBeGreaterThan(0.9999);
    expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
  }
});

test("a smaller multiplier weighs the falling domain loss more, so every ratio turns earlier", () => {
  const { byLambda } = fitCmr(runs(100), { lambda: 20_000 });
  const ratios = byLambda.map(({ ratio }) => ratio);
  expect(byLambda.map(({ lambda }) => lambda)).toEqual([100, 1000, 7000, 20_000]);
  expect(ratios[2]!).toBeGreaterThan(ratios[3]!);
});

test("epsilon binds when it is small, and says so", () => {
  const fit = fitCmr(runs(100), { lambda: 1e9, epsilon: 0.002 });
  expect(fit.critical.boundBy).toBe("epsilon");
  expect(fit.critical.ratio!).toBeLessThan(0.4);
  expect(cmrLoss(fit, "general", fit.critical.ratio!).loss).toBeCloseTo(base.general + 0.002, 9);
});

test("monotone general loss: says that there is nothing to predict", () => {
  const data = runs(100);
  const falling = { ...data, general: data.general.map((point) => ({ ...point, loss: 2 - 0.01 * point.tokens ** 0.3 })) };
  const fit = fitCmr(falling);
  expect(fit.critical.boundBy).toBe("all-ratios-feasible");
  expect(fit.warnings.join(" ")).toMatch(/nothing is being forgotten/);
});

test("general loss that only rises at every ratio has no critical ratio", () => {
  const data = runs(100);
  const fit = fitCmr({ ...data, general: data.general.map((point) => ({ ...point, loss: 2 + 0.01 * point.tokens ** 0.5 })) });
  expect(fit.critical.ratio).toBeNull();
  expect(fit.warnings.join(" ")).toMatch(/cannot be fitted/);
});

test("too few pilots, too few checkpoints, and unusable values are errors", () => {
  const data = runs(100);
  expect(() => fitCmr(runs(100, [1 / 4, 1 / 2]))).toThrow(/at least 3 different ratios, received 2/);
  const short = (points: CmrData["domain"]) => points.filter((point) => point.tokens <= 10);
  expect(() => fitCmr({ ...data, domain: short(data.domain), general: short(data.general) })).toThrow(/at least 6 different token counts/);
  expect(() => fitCmr({ ...data, general: data.general.slice(1) })).toThrow(/same token counts/);
  expect(() => fitCmr({ ...data, base: { domain: 3, general: Number.POSITIVE_INFINITY } })).toThrow(/base\.general/);
  expect(() => fitCmr({ ...data, domain: [{ ratio: 0, tokens: 1, loss: 1 }] })).toThrow(/above 0 and at most 1/);
});
