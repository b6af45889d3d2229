/**
 * Choices of a domain share from any pair of laws: functions of the share alone, at a fixed budget.
 *    keeping the general loss    argmin L_dom(R) subject to L_gen(R) ≤ limit
 *    weighted                    argmin w·L_dom(R) + (1 − w)·L_gen(R)
 *    trade-off                   (L_dom(R), L_gen(R)) over R; efficient: no other R is lower in both
 *  A fine grid finds the basin or the edge (the fitted curves need not be monotone), bisection and golden section refine it.
 */
import { boundary, goldenSection } from "./search.ts";

/** Losses (nats per token) by domain share. */
export interface LossCurves {
  domain(ratio: number): number;
  general(ratio: number): number;
}

/** Shares that are considered. */
export interface ShareRange {
  readonly low: number;
  readonly high: number;
}

const ALL_SHARES: ShareRange = { low: 0, high: 1 };

const STEPS = 1000;

/** The share of [low, high] that minimizes `objective` where `allowed`; null when no share of the grid is allowed. */
export function argmin(
  objective: (ratio: number) => number,
  { low = 0, high = 1, allowed = () => true }: { low?: number; high?: number; allowed?: (ratio: number) => boolean } = {},
): number | null {
  const at = (i: number) => low + ((high - low) * i) / STEPS;
  let best = -1;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= STEPS; i++) {
    const value = objective(at(i));
    if (value < lowest && allowed(at(i))) [best, lowest] = [i, value];
  }
  if (best < 0) return null;
  const edge = (neighbor: number) => {
    const outside = Math.min(STEPS, Math.max(0, neighbor));
    return allowed(at(outside)) ? at(outside) : boundary(allowed, at(best), at(outside));
  };
  return goldenSection(objective, edge(best - 1), edge(best + 1));
}

/** The share with the lowest domain loss whose general loss stays within `limit`; null when none does. */
export const keepingGeneral = (curves: LossCurves, limit: number, within: ShareRange = ALL_SHARES): number | null =>
  argmin((ratio) => curves.domain(ratio), { ...within, allowed: (ratio) => curves.general(ratio) <= limit });

/** The share with the lowest weighted loss; `weight` 1 minds the domain only. */
export const weighted = (curves: LossCurves, weight: number, within: ShareRange = ALL_SHARES): number =>
  argmin((ratio) => weight * curves.domain(ratio) + (1 - weight) * curves.general(ratio), within)!;

export interface TradeOffPoint {
  readonly ratio: number;
  readonly domainLoss: number;
  readonly generalLoss: number;
  /** On the Pareto front. */
  readonly efficient: boolean;
}

export function tradeOff(curves: LossCurves, steps = 50, { low, high }: ShareRange = ALL_SHARES): TradeOffPoint[] {
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const ratio = low + ((high - low) * i) / steps;
    return { ratio, domainLoss: curves.domain(ratio), generalLoss: curves.general(ratio) };
  });
  return points.map((point) => ({
    ...point,
    efficient: !points.some(
      (other) =>
        other.domainLoss <= point.domainLoss &&
        other.generalLoss <= point.generalLoss &&
        (other.domainLoss < point.domainLoss || other.generalLoss < point.generalLoss),
    ),
  }));
}
