/** What a plot of a law needs, as numbers: curves over the share with bands, the loss surface, residuals. */
import { type BandedPrediction, predictWithBand } from "./bootstrap.ts";
import type { DcptParameters } from "./d-cpt.ts";
import { type DcptFit, predictDcpt } from "./d-cpt-fit.ts";
import type { BudgetAt } from "./d-cpt-uses.ts";
import type { LossPoint } from "./points.ts";

export interface RatioCurvePoint extends BandedPrediction {
  readonly ratio: number;
}

/** Loss over the domain share, each with its budget, `steps` + 1 points from 0 to 1. */
export const ratioCurve = (fit: DcptFit, replicas: readonly DcptParameters[], budgetAt: BudgetAt, steps = 50): RatioCurvePoint[] =>
  Array.from({ length: steps + 1 }, (_, i) => i / steps).map((ratio) => ({
    ratio,
    ...predictWithBand(fit, replicas, { ...budgetAt(ratio), ratio }),
  }));

/** losses[i][j]: loss at ratios[i] and tokens[j]. */
export const lossSurface = (fit: DcptFit, ratios: readonly number[], tokens: readonly number[], modelSize?: number): number[][] =>
  ratios.map((ratio) =>
    tokens.map((count) => predictDcpt(fit, { ratio, tokens: count, ...(modelSize === undefined ? {} : { modelSize }) }).loss),
  );

export interface Residual extends LossPoint {
  readonly predicted: number;
  /** ln measured − ln predicted: the relative error, nearly. */
  readonly residual: number;
}

export const residualsOf = (fit: DcptFit, points: readonly LossPoint[]): Residual[] =>
  points.map((point) => {
    const predicted = predictDcpt(fit, point).loss;
    return { ...point, predicted, residual: Math.log(point.loss) - Math.log(predicted) };
  });
