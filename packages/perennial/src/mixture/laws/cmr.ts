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
import { type CmrData, type Curve, curveGoodness, curvesOf, lossAtBudget } from "./cmr-curves.ts";
import { judged, type RatioVerdict, turnsInTime } from "./cmr-verdict.ts";
import type { Goodness } from "./goodness.ts";
import { checkPoints, distinct, isOutside, rangeOf, type ValueRange } from "./points.ts";
import { evaluatePower, fitPower, type PowerFit } from "./power-law.ts";
import { boundary } from "./search.ts";

export interface CmrOptions {
  /** Token budget. Default: the largest token count of the points. */
  readonly maxTokens?: number;
  /** ε, nats per token. */
  readonly epsilon?: number;
  readonly lambda?: number;
  /** Points before this many tokens are left out: losses move for other reasons while the learning rate warms up. */
  readonly warmupTokens?: number;
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
  readonly ratioRange: ValueRange;
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

/** max A on (0, 1]: the general ratio law may bend, so a fine grid is walked from above and its edge refined. */
function largestAdmissible(general: PowerFit, limit: number, [lowest]: ValueRange): number {
  const admissible = (ratio: number) => evaluatePower(general, ratio) <= limit;
  for (let i = 1000; i >= 1; i--) {
    const ratio = i / 1000;
    if (ratio < Math.min(lowest, 0.001)) break;
    if (admissible(ratio)) return i === 1000 ? 1 : boundary(admissible, ratio, ratio + 0.001);
  }
  return 0;
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
