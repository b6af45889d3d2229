/**
 * Held-out error: fit without some pilots, predict them. The honest number beside R² on the fitted points.
 *    "ratio"      every interior ratio in turn (the outermost stay, a law is not asked to extrapolate here)
 *    "tokens"     the last third of the token counts, from the first two thirds
 *    "modelSize"  every size in turn
 *  Source of the splits: Que et al., arXiv 2406.01375 (they also leave out pairs of ratios and the other thirds).
 */
import type { Dimension } from "./d-cpt-fit.ts";
import { type Goodness, goodnessOf } from "./goodness.ts";
import { distinct, type LossPoint, requireEnough } from "./points.ts";

/** A rule that predicts a loss from ratio, tokens and size; made from the points that were not held out. */
export type Predictor = (query: Omit<LossPoint, "loss">) => number;

export interface HeldOutError {
  /** Which values were left out in each round. */
  readonly rounds: readonly { readonly without: readonly number[]; readonly goodness: Goodness }[];
  /** Over all held-out points of all rounds. */
  readonly pooled: Goodness;
}

export function holdOut(points: readonly LossPoint[], by: Dimension, fit: (points: readonly LossPoint[]) => Predictor): HeldOutError {
  const measured: number[] = [];
  const predicted: number[] = [];
  const rounds = foldsOf(points, by).map((without) => {
    const predict = fit(points.filter((point) => !without.includes(point[by]!)));
    const held = points.filter((point) => without.includes(point[by]!));
    const losses = held.map((point) => point.loss);
    const predictions = held.map(predict);
    measured.push(...losses);
    predicted.push(...predictions);
    return { without, goodness: goodnessOf(losses, predictions) };
  });
  return { rounds, pooled: goodnessOf(measured, predicted) };
}

function foldsOf(points: readonly LossPoint[], by: Dimension): number[][] {
  const values = distinct(points.flatMap((point) => point[by] ?? []));
  requireEnough("points", `different values of ${by} to hold one out`, values.length, 3, "leave this check out, or run more pilots");
  if (by === "tokens") return [values.slice(Math.ceil((2 * values.length) / 3))];
  return (by === "ratio" ? values.slice(1, -1) : values).map((value) => [value]);
}

/** Baseline: the loss of the nearest trained ratio (and size), at the nearest checkpoint in log tokens. */
export function nearestPilot(points: readonly LossPoint[]): Predictor {
  return ({ ratio, tokens, modelSize }) => {
    const distance = (point: LossPoint) => [
      Math.abs(Math.log((point.modelSize ?? 1) / (modelSize ?? 1))),
      Math.abs(point.ratio - ratio),
      Math.abs(Math.log(point.tokens / tokens)),
    ];
    let best = points[0]!;
    let bestDistance = distance(best);
    for (const point of points) {
      const candidate = distance(point);
      const decisive = candidate.findIndex((value, i) => Math.abs(value - bestDistance[i]!) > 1e-12);
      if (decisive >= 0 && candidate[decisive]! < bestDistance[decisive]!) [best, bestDistance] = [point, candidate];
    }
    return best.loss;
  };
}
