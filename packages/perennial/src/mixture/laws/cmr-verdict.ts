/**
 * The verdict on every trained ratio of a CMR fit: feasible when its weighted loss F = L_dom + λ·L_gen turns down within the
 * budget, stays down until then, and the general loss ends within the tolerance.
 *  Source: Gu et al., EMNLP 2024, arXiv 2407.17467.
 */
import type { Curve } from "./cmr-curves.ts";
import type { PowerFit } from "./power-law.ts";
import { type TurningPoint, turningPoint } from "./turning-point.ts";

/** What one trained ratio showed. Token laws are in units of `tokenUnit`, turning points in tokens. */
export interface RatioVerdict {
  readonly ratio: number;
  readonly domain: PowerFit;
  readonly general: PowerFit;
  readonly turning: TurningPoint;
  readonly withinEpsilon: boolean;
  readonly feasible: boolean;
  /** Why not, or why. */
  readonly because: string;
}

export function judged(
  curves: readonly Curve[],
  lambda: number,
  tokenUnit: number,
  withinEpsilon: (ratio: number) => boolean,
): RatioVerdict[] {
  return curves.map((curve) => {
    const turning = observed(turningPoint(curve.domain.law.terms, curve.general.law.terms, lambda), curve.T[0]!, tokenUnit);
    const admissible = withinEpsilon(curve.ratio);
    const [turns, because] = turnsInTime(turning, 100 * tokenUnit);
    return {
      ratio: curve.ratio,
      domain: curve.domain.law,
      general: curve.general.law,
      turning,
      withinEpsilon: admissible,
      feasible: turns && admissible,
      because: admissible ? because : `${because}; the general loss ends above the tolerance`,
    };
  });
}

export function turnsInTime(turning: TurningPoint, budget: number): [boolean, string] {
  if (turning.kind === "never") return [false, "the weighted loss never turns down"];
  if (turning.kind === "at" && turning.tokens > budget) return [false, "the weighted loss turns down only after the budget"];
  if (turning.untilTokens !== null && turning.untilTokens <= budget) return [false, "the weighted loss turns up again within the budget"];
  return [true, turning.kind === "at" ? "the weighted loss turns down within the budget" : "the weighted loss falls from the start"];
}

/** A root this many budgets away is the token law's extrapolation, not an observation (our choice). */
const FARTHEST_TURN = 10;

/** In tokens. A turn before the first checkpoint is none that was seen (T₀ = 0), one far beyond the budget neither (T₀ = ∞). */
function observed(turning: TurningPoint, firstT: number, unit: number): TurningPoint {
  if (turning.kind === "never") return turning;
  const untilTokens = turning.untilTokens === null ? null : turning.untilTokens * unit;
  if (turning.kind === "from-start" || turning.tokens < firstT) {
    const upBefore = turning.untilTokens !== null && turning.untilTokens < firstT;
    return upBefore ? { kind: "never" } : { kind: "from-start", untilTokens };
  }
  return turning.tokens > FARTHEST_TURN * 100 ? { kind: "never" } : { kind: "at", tokens: turning.tokens * unit, untilTokens };
}
