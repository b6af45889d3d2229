import { expect, test } from "vitest";
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";
import { type DcptParameters, dcptLoss, dcptSlopeInShare, parameterNames } from "./d-cpt.ts";
import { fitDcpt, predictDcpt, startGrid } from "./d-cpt-fit.ts";
import { dcptData, dcptObjective, freeNames } from "./d-cpt-objective.ts";
import type { LossPoint } from "./points.ts";

export const law: DcptParameters = {
  ...{ E: 1, A: 0.4, alpha: 0.3, B: 0.2, beta: 0.3, eta: 0.6, C: 0.4, gamma: 0.3, epsilon: 0.05 },
  ...{ F: 0, mu: 1, w1: 1, w2: 1 },
};
const RATIOS = [0, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1];

function grid(noise: number, corpus: "domain" | "general" = "domain"): LossPoint[] {
  const random = stream(1, "d-cpt grid");
  return [0.5e9, 1.8e9, 4e9].flatMap((modelSize) =>
    Array.from({ length: 20 }, (_, i) => (i + 1) * 1.3e9).flatMap((tokens) =>
      RATIOS.map((ratio) => {
        const share = corpus === "domain" ? ratio : 1 - ratio;
        return {
          ratio,
          tokens,
          modelSize,
          loss: dcptLoss(law, { modelSize: modelSize / 1e9, tokens: tokens / 1e9, share }) * Math.exp(noise * random.normal()),
        };
      }),
    ),
  );
}

test.each([
  [1, 10, 0.5, 1.94470835],
  [1, 10, 0, 2.38258242],
  [1, 10, 1, 1.89442527],
  [4, 26, 0.9, 1.74074972],
  [0.5, 1, 0.1, 2.24939146],
])("L(%d, %d, %d) = %d", (modelSize, tokens, share, expected) => {
  expect(dcptLoss(law, { modelSize, tokens, share })).toBeCloseTo(expected, 8);
});

test("without any of its data a corpus' loss does not depend on tokens", () => {
  expect(dcptLoss(law, { modelSize: 1, tokens: 1, share: 0 })).toBe(dcptLoss(law, { modelSize: 1, tokens: 1e6, share: 0 }));
});

test("the slope in the share is the derivative", () => {
  const at = (share: number) => dcptLoss(law, { modelSize: 1, tokens: 3, share });
  expect(dcptSlopeInShare(law, { tokens: 3, share: 0.4 })).toBeCloseTo((at(0.4 + 1e-6) - at(0.4 - 1e-6)) / 2e-6, 7);
});

test("the analytic gradient equals central differences in every parameter, cross-domain ones included", () => {
  const random = stream(5, "gradient");
  const rows = Array.from({ length: 60 }, () => ({
    modelSize: 0.5 + random.integer(3),
    tokens: 1 + random.integer(5),
    share: random.integer(5) / 4,
    probe: { firstLoss: 2 + random.integer(3), fall: 0.1 + 0.1 * random.integer(2) },
    loss: 1.5 + random.uniform(),
  }));
  const objective = dcptObjective(dcptData(rows), {}, 0.1);
  const x = Float64Array.from(parameterNames, () => 0.3 * random.normal() - 0.5);
  const gradient = new Float64Array(x.length);
  objective(x, gradient);
  const ignored = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const at = (step: number) =>
      objective(
        x.map((value, j) => (j === i ? value + step : value)),
        ignored,
      );
    expect(gradient[i]!, parameterNames[i]!).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 8);
    expect(Math.abs(gradient[i]!)).toBeGreaterThan(1e-6);
  }
});

test("recovers the law from 0.1 % noise and extrapolates to 7B and 50B within 0.03 %", () => {
  const fit = fitDcpt(grid(1e-3), { corpus: "domain" });
  expect(fit.units).toEqual({ tokens: 1e9, modelSize: 1e9 });
  expect(fit.goodness.rSquared).toBeGreaterThan(0.9998);
  expect(fit.starts).toHaveLength(96);
  // E, C and gamma trade off along a flat valley; the others are decided by the data.
  const close: Record<string, number> = { E: 0.15, C: 0.15, gamma: 0.15 };
  for (const name of freeNames({ F: 0, mu: 1, w1: 1, w2: 1 }))
    expect(Math.abs(fit.parameters[name] / law[name] - 1), name).toBeLessThan(close[name] ?? 0.05);
  const rows = grid(1e-3).map((p) => ({ modelSize: p.modelSize! / 1e9, tokens: p.tokens / 1e9, share: p.ratio, loss: p.loss }));
  const truth = dcptObjective(dcptData(rows), { F: 0, mu: 1, w1: 1, w2: 1 }, 1e-3);
  const logs = Float64Array.from(freeNames({ F: 0, mu: 1, w1: 1, w2: 1 }), (name) => Math.log(law[name]));
  expect(fit.objective).toBeLessThan(truth(logs, new Float64Array(9)));
  const far = predictDcpt(fit, { modelSize: 7e9, tokens: 50e9, ratio: 0.4 });
  expect(Math.abs(far.loss / dcptLoss(law, { modelSize: 7, tokens: 50, share: 0.4 }) - 1)).toBeLessThan(3e-4);
  expect(far.extrapolates).toEqual(["tokens", "modelSize"]);
  expect(predictDcpt(fit, { modelSize: 1e9, tokens: 5e9, ratio: 0.4 }).extrapolates).toEqual([]);
  expect(JSON.parse(JSON.stringify(fit))).toEqual(fit);
});

test("the general law reads the general share, so mirrored points give the same parameters", () => {
  const domain = fitDcpt(grid(0), { corpus: "domain" });
  const general = fitDcpt(grid(0, "general"), { corpus: "general" });
  expect(predictDcpt(general, { modelSize: 1e9, tokens: 10e9, ratio: 0.2 }).loss).toBeCloseTo(
    predictDcpt(domain, { modelSize: 1e9, tokens: 10e9, ratio: 0.8 }).loss,
    4,
  );
  expect(predictDcpt(general, { modelSize: 1e9, tokens: 10e9, ratio: 0.2 }).loss).toBeCloseTo(
    dcptLoss(law, { modelSize: 1, tokens: 10, share: 0.8 }),
    4,
  );
});

test("the additive form fits the same points worse", () => {
  const l3 = fitDcpt(grid(1e-3), { corpus: "domain" });
  const additive = fitDcpt(grid(1e-3), { corpus: "domain", form: "additive" });
  expect(additive.fitted).toHaveLength(8);
  expect(additive.objective).toBeGreaterThan(3 * l3.objective);
});

test("one model size folds the size term into E and says so", () => {
  const one = grid(1e-4)
    .filter((point) => point.modelSize === 1.8e9)
    .map(({ modelSize: _, ...point }) => point);
  const fit = fitDcpt(one, { corpus: "domain" });
  expect(fit.parameters.A).toBe(0);
  expect(fit.warnings.join(" ")).toContain("One model size");
  expect(predictDcpt(fit, { tokens: 10e9, ratio: 0.4 }).loss).toBeCloseTo(dcptLoss(law, { modelSize: 1.8, tokens: 10, share: 0.4 }), 3);
});

test("bad pilots are named", () => {
  const points = grid(0);
  const broken = (change: Partial<LossPoint>) => () =>
    fitDcpt([...points.slice(0, 7), { ...points[7]!, ...change }, ...points.slice(8)], { corpus: "domain" });
  expect(broken({ loss: Number.NaN })).toThrow(/domain points\[7\]\.loss: expected a finite loss above 0/);
  expect(broken({ ratio: 25 })).toThrow(/domain points\[7\]\.ratio: expected a domain share from 0 to 1, received 25/);
  expect(broken({ tokens: 0 })).toThrow(/tokens/);
  const few = (keep: (point: LossPoint) => boolean) => () => fitDcpt(points.filter(keep), { corpus: "domain" });
  expect(few((point) => point.ratio < 0.3)).toThrow(/at least 4 different ratios, received 3/);
  expect(few((point) => point.tokens < 3e9)).toThrow(/at least 3 different token counts, received 2/);
  expect(few((point) => point.modelSize! < 2e9)).toThrow(/Two sizes cannot decide/);
  expect(() => predictDcpt(fitDcpt(points, { corpus: "domain" }), { ratio: 0.5, tokens: 1e9 })).toThrow(FieldError);
});

test("96 starts", () => expect(new Set(startGrid(2).map((start) => JSON.stringify(start))).size).toBe(96));
