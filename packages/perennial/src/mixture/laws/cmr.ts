/**
 * CMR law: the critical mixture ratio, i.e. the largest domain share whose general loss still turns back down within the
 * token budget.
 *    ratio laws   L(R) = a·R^s + b at T = Tmax, domain and general        token laws  dDom(T) = a₁T^s₁ + b₁,
 *    dGen(T) = a₂T^s₂ + a₃T^s₃ + b₂ at each trained R                     turning point T₀(R): see `turning-point.ts`
 *    CMR law      R(T) = a₄T^s₄ + b₃, fitted to the pairs (T₀(R), R): R is critical exactly when its T₀ is the budget
 *    admissible   A = {R : L_gen(R) ≤ L_gen(base) + ε}                    CMR(Tmax) = min(clip(R(Tmax), 0, 1), max A)
 *  R domain share · T tokens, in units of Tmax/100 · losses nats per token · ε nats, tolerance on the general loss ·
 *  λ multiplier, no unit (the paper uses 100 … 7000; our choice 1000, with 100 and 7000 reported beside it).
 *  One base model: nothing carries over to another size. The law assumes runs of constant learning rate: an annealed run
 *  turns down early. Fitted by variable projection (`power-law.ts`), our choice: the paper names no optimizer.
 *  Source: Gu et al., EMNLP 2024, arXiv 2407.17467.
 */

import { FieldError } from "../../errors.ts";
import { type Goodness, goodnessOf } from "./goodness.ts";
import { checkPoints, distinct, isOutside, type LossPoint, type Range, rangeOf, requireEnough } from "./points.ts";
import { evaluatePower, fitPower, fitTwoPowers, type PowerFit } from "./power-law.ts";
import { boundary } from "./search.ts";
import { type TurningPoint, turningPoint } from "./turning-point.ts";

export interface CmrData {
  /** Domain and general validation losses of pilot runs of one model; `ratio` is the domain share in both. */
  readonly domain: readonly LossPoint[];
  readonly general: readonly LossPoint[];
  /** Losses of the base model before the first step. */
  readonly base: { readonly domain: number; readonly general: number };
}

export interface CmrOptions {
  /** Token budget. Default: the largest token count of the points. */
  readonly maxTokens?: number;
  /** ε, nats per token. */
  readonly epsilon?: number;
  readonly lambda?: number;
  /** Points before this many tokens are left out: losses move for other reasons while the learning rate warms up. */
  readonly warmupTokens?: number;
}

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

/** R(T), T in units of `tokenUnit`. "linear": fewer than 3 turning points, so T₀(R) = T is interpolated between them. */
export type CriticalLaw =
  | { readonly kind: "power"; readonly fit: PowerFit }
  | { readonly kind: "linear"; readonly pairs: readonly { readonly tokens: number; readonly ratio: number }[] }
  | { readonly kind: "none" };

export interface CriticalRatio {
  /** Null when the pilots decide nothing: see the warnings of the fit. */
  readonly ratio: number | null;
  /** Which condition binds. */
  readonly boundBy: "turning-point" | "epsilon" | "all-ratios-feasible" | "largest-feasible-pilot" | null;
  /** The budget lies outside the turning points that the law was fitted to. */
  readonly extrapolates: boolean;
}

/** Plain JSON. Predict with `criticalRatio` and `cmrLoss`. */
export interface CmrFit {
  readonly law: "cmr";
  /** Tokens per unit of T: a hundredth of the budget. */
  readonly tokenUnit: number;
  readonly maxTokens: number;
  readonly epsilon: number;
  readonly lambda: number;
  readonly base: { readonly domain: number; readonly general: number };
  readonly ratioLaws: { readonly domain: PowerFit; readonly general: PowerFit };
  readonly ratioRange: Range;
  readonly goodness: { readonly domain: Goodness; readonly general: Goodness };
  readonly verdicts: readonly RatioVerdict[];
  readonly criticalLaw: CriticalLaw;
  /** Largest admissible share by ε, 0 when none is. */
  readonly maxAdmissible: number;
  readonly critical: CriticalRatio;
  /** CMR(Tmax) under other multipliers. */
  readonly byLambda: readonly { readonly lambda: number; readonly ratio: number | null }[];
  readonly warnings: readonly string[];
}

/** The multipliers that the paper used, smallest and largest, beside our default. */
const LAMBDAS = [100, 1000, 7000] as const;

export function fitCmr(data: CmrData, options: CmrOptions = {}): CmrFit {
  const { epsilon = 0.05, lambda = 1000, warmupTokens = 0 } = options;
  for (const corpus of ["domain", "general"] as const) {
    checkPoints(data[corpus], { at: `${corpus} points`, ratios: "open" });
    if (!(Number.isFinite(data.base[corpus]) && data.base[corpus] > 0))
      throw new FieldError("LAW_LOSS", {
        at: `base.${corpus}`,
        expected: "a finite loss above 0 in nats per token",
        received: String(data.base[corpus]),
      });
  }
  const maxTokens = options.maxTokens ?? Math.max(...data.domain.map((point) => point.tokens));
  const tokenUnit = maxTokens / 100;
  const curves = curvesOf(data, tokenUnit, warmupTokens);
  const lawAt = (corpus: "domain" | "general") =>
    fitPower(
      curves.map((curve) => curve.ratio),
      curves.map((curve) => lossAtBudget(curve, data.base[corpus], corpus)),
    );
  const ratioLaws = { domain: lawAt("domain"), general: lawAt("general") };
  const ratioRange = rangeOf(curves.map((curve) => curve.ratio));
  const maxAdmissible = largestAdmissible(ratioLaws.general, data.base.general + epsilon, ratioRange);

  const judge = (multiplier: number) =>
    judged(curves, multiplier, tokenUnit, (ratio) => evaluatePower(ratioLaws.general, ratio) <= data.base.general + epsilon);
  const verdicts = judge(lambda);
  const criticalLaw = fitCriticalLaw(verdicts, tokenUnit);
  const partial = { tokenUnit, maxTokens, verdicts, criticalLaw, maxAdmissible };
  return {
    law: "cmr",
    ...partial,
    epsilon,
    lambda,
    base: data.base,
    ratioLaws,
    ratioRange,
    goodness: { domain: curveGoodness(curves, "domain", data.base.domain), general: curveGoodness(curves, "general", data.base.general) },
    critical: criticalRatio(partial, maxTokens),
    byLambda: [...new Set([...LAMBDAS, lambda])].map((multiplier) => {
      const others = judge(multiplier);
      return {
        lambda: multiplier,
        ratio: criticalRatio({ ...partial, verdicts: others, criticalLaw: fitCriticalLaw(others, tokenUnit) }, maxTokens).ratio,
      };
    }),
    warnings: warningsOf(verdicts, criticalLaw, curves),
  };
}

/** CMR(T) for a budget of `tokens`. */
export function criticalRatio(
  fit: Pick<CmrFit, "tokenUnit" | "verdicts" | "criticalLaw" | "maxAdmissible">,
  tokens: number,
): CriticalRatio {
  const { criticalLaw, verdicts, maxAdmissible, tokenUnit } = fit;
  const T = tokens / tokenUnit;
  const turned = verdicts.flatMap(({ turning }) => (turning.kind === "at" ? [turning.tokens] : []));
  const extrapolates = turned.length === 0 || isOutside(tokens, rangeOf(turned));
  if (criticalLaw.kind === "none") {
    // Too few turns were seen for a law: all that is known is which of the trained ratios turned in time.
    const inTime = verdicts.filter(({ turning, ratio }) => turnsInTime(turning, tokens)[0] && ratio <= maxAdmissible);
    if (inTime.length === verdicts.length) return { ratio: maxAdmissible, boundBy: "all-ratios-feasible", extrapolates };
    const ratio = inTime.at(-1)?.ratio ?? null;
    return { ratio, boundBy: ratio === null ? null : "largest-feasible-pilot", extrapolates };
  }
  const byTurn = Math.min(
    1,
    Math.max(0, criticalLaw.kind === "power" ? evaluatePower(criticalLaw.fit, T) : interpolated(criticalLaw.pairs, T)),
  );
  return byTurn <= maxAdmissible
    ? { ratio: byTurn, boundBy: "turning-point", extrapolates }
    : { ratio: maxAdmissible, boundBy: "epsilon", extrapolates };
}

/** Predicted loss at the budget for a domain share, and whether the share lies outside the trained ones. */
export function cmrLoss(fit: CmrFit, corpus: "domain" | "general", ratio: number): { loss: number; extrapolates: boolean } {
  checkPoints([{ ratio, tokens: 1, loss: 1 }], { at: "query", ratios: "open" });
  return { loss: evaluatePower(fit.ratioLaws[corpus], ratio), extrapolates: isOutside(ratio, fit.ratioRange) };
}

/** One trained ratio: its increments over the base, T in units, and the laws through them. */
interface Curve {
  readonly ratio: number;
  readonly T: readonly number[];
  readonly domain: Increment;
  readonly general: Increment;
}

interface Increment {
  readonly values: readonly number[];
  readonly law: PowerFit;
}

const CHECKPOINTS = 6;

function curvesOf(data: CmrData, tokenUnit: number, warmupTokens: number): Curve[] {
  const ratios = distinct(data.domain.map((point) => point.ratio));
  requireEnough("domain points", "different ratios", ratios.length, 3, "run pilots at more domain shares, e.g. 1/8, 1/4, 1/3, 1/2 and 3/4");
  return ratios.map((ratio) => {
    const at = (corpus: "domain" | "general") =>
      data[corpus].filter((point) => point.ratio === ratio && point.tokens >= warmupTokens).sort((a, b) => a.tokens - b.tokens);
    const domain = at("domain");
    const general = at("general");
    for (const [corpus, points] of Object.entries({ domain, general }))
      requireEnough(
        `${corpus} points at ratio ${ratio}`,
        "different token counts after the warm-up",
        distinct(points.map((point) => point.tokens)).length,
        CHECKPOINTS,
        "evaluate the run more often: the general token law alone has five parameters",
      );
    if (domain.length !== general.length || domain.some((point, i) => point.tokens !== general[i]!.tokens))
      throw new FieldError("LAW_POINTS", {
        at: `points at ratio ${ratio}`,
        expected: "domain and general losses at the same token counts",
        received: `${domain.length} domain and ${general.length} general points`,
      });
    const T = domain.map((point) => point.tokens / tokenUnit);
    const increment = (points: readonly LossPoint[], base: number, fit: typeof fitPower): Increment => {
      const values = points.map((point) => point.loss - base);
      return { values, law: fit(T, values) };
    };
    return {
      ratio,
      T,
      domain: increment(domain, data.base.domain, fitPower),
      general: increment(general, data.base.general, fitTwoPowers),
    };
  });
}

/** The measured loss at T = 100 where a run has it, else its token law's value there. */
function lossAtBudget(curve: Curve, base: number, corpus: "domain" | "general"): number {
  const last = curve.T.findIndex((T) => Math.abs(T - 100) < 1e-6);
  return base + (last >= 0 ? curve[corpus].values[last]! : evaluatePower(curve[corpus].law, 100));
}

function curveGoodness(curves: readonly Curve[], corpus: "domain" | "general", base: number): Goodness {
  const measured = curves.flatMap((curve) => curve[corpus].values.map((value) => base + value));
  const predicted = curves.flatMap((curve) => curve.T.map((T) => base + evaluatePower(curve[corpus].law, T)));
  return goodnessOf(measured, predicted);
}

/** max A on (0, 1]: the general ratio law may bend, so a fine grid is walked from above and its edge refined. */
function largestAdmissible(general: PowerFit, limit: number, [lowest]: Range): number {
  const admissible = (ratio: number) => evaluatePower(general, ratio) <= limit;
  for (let i = 1000; i >= 1; i--) {
    const ratio = i / 1000;
    if (ratio < Math.min(lowest, 0.001)) break;
    if (admissible(ratio)) return i === 1000 ? 1 : boundary(admissible, ratio, ratio + 0.001);
  }
  return 0;
}

function judged(curves: readonly Curve[], lambda: number, tokenUnit: number, withinEpsilon: (ratio: number) => boolean): RatioVerdict[] {
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

function turnsInTime(turning: TurningPoint, budget: number): [boolean, string] {
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

function fitCriticalLaw(verdicts: readonly RatioVerdict[], tokenUnit: number): CriticalLaw {
  const pairs = verdicts
    .flatMap(({ ratio, turning }) => (turning.kind === "at" ? [{ tokens: turning.tokens / tokenUnit, ratio }] : []))
    .sort((a, b) => a.tokens - b.tokens);
  if (distinct(pairs.map((pair) => pair.tokens)).length >= 3)
    return {
      kind: "power",
      fit: fitPower(
        pairs.map((pair) => pair.tokens),
        pairs.map((pair) => pair.ratio),
      ),
    };
  return pairs.length === 2 ? { kind: "linear", pairs } : { kind: "none" };
}

/** Linear between the two pairs, constant outside. */
function interpolated(pairs: readonly { tokens: number; ratio: number }[], T: number): number {
  const [a, b] = pairs as [(typeof pairs)[number], (typeof pairs)[number]];
  const position = b.tokens === a.tokens ? 0 : (T - a.tokens) / (b.tokens - a.tokens);
  return a.ratio + Math.min(1, Math.max(0, position)) * (b.ratio - a.ratio);
}

function warningsOf(verdicts: readonly RatioVerdict[], law: CriticalLaw, curves: readonly Curve[]): string[] {
  const warnings: string[] = [];
  if (law.kind !== "power")
    warnings.push(
      "Fewer than 3 ratios have a turning point: the CMR law cannot be fitted. Train at more ratios, longer, or evaluate on more text.",
    );
  if (curves.every(({ general }) => general.values.every((value, i) => i === 0 || value <= general.values[i - 1]!)))
    warnings.push(
      "The general loss falls all the way at every ratio: nothing is being forgotten and there is nothing for the law to predict.",
    );
  const turned = verdicts.flatMap(({ turning }) => (turning.kind === "at" ? [turning.tokens] : []));
  if (turned.some((tokens, i) => i > 0 && tokens < turned[i - 1]!))
    warnings.push("The turning point does not come later at every larger ratio: validation noise is as large as the effect.");
  return warnings;
}
