import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fitDcpt, predictDcpt } from "./d-cpt-fit.ts";
import type { LossPoint } from "./points.ts";
import { evaluatePower, fitPower } from "./power-law.ts";

// Made by tools/golden/laws.py.
interface Golden {
  dCpt: { points: LossPoint[]; objective: number; "predictionAt_2_20_0.4": number };
  power: { x: number[]; y: number[]; mse: number; "predictionAt_0.4": number };
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden/scipy.json", import.meta.url), "utf8"));

test("the D-CPT fit's loss is no higher than the best of SciPy's from the same starts", () => {
  const { points, objective } = golden.dCpt;
  const fit = fitDcpt(points, { corpus: "domain" });
  expect(fit.objective).toBeLessThanOrEqual(objective * (1 + 1e-9));
  expect(fit.objective).toBeGreaterThan(objective * 0.99);
  const { loss } = predictDcpt(fit, { modelSize: 2, tokens: 20, ratio: 0.4 });
  expect(loss).toBeCloseTo(golden.dCpt["predictionAt_2_20_0.4"], 4);
});

test("the ratio law's error is no higher than SciPy's least squares", () => {
  const fit = fitPower(golden.power.x, golden.power.y);
  expect(fit.mse).toBeLessThanOrEqual(golden.power.mse * (1 + 1e-6));
  expect(evaluatePower(fit, 0.4)).toBeCloseTo(golden.power["predictionAt_0.4"], 7);
});
