/**
 * The trained ratios of a CMR fit as curves over tokens: increments over the base model and the token laws through them.
 *    dDom(T) = a₁T^s₁ + b₁        dGen(T) = a₂T^s₂ + a₃T^s₃ + b₂        T tokens in units of a hundredth of the budget
 *  Source: Gu et al., EMNLP 2024, arXiv 2407.17467.
 */
import { FieldError } from "../../errors.ts";
import { type Goodness, goodnessOf } from "./goodness.ts";
import { distinct, type LossPoint, requireEnough } from "./points.ts";
import { evaluatePower, fitPower, fitTwoPowers, type PowerFit } from "./power-law.ts";

export interface CmrData {
  /** Domain and general validation losses of pilot runs of one model; `ratio` is the domain share in both. */
  readonly domain: readonly LossPoint[];
  readonly general: readonly LossPoint[];
  /** Losses of the base model before the first step. */
  readonly base: { readonly domain: number; readonly general: number };
}

/** One trained ratio: its increments over the base, T in units, and the laws through them. */
export interface Curve {
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

export function curvesOf(data: CmrData, tokenUnit: number, warmupTokens: number): Curve[] {
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
export function lossAtBudget(curve: Curve, base: number, corpus: "domain" | "general"): number {
  const last = curve.T.findIndex((T) => Math.abs(T - 100) < 1e-6);
  return base + (last >= 0 ? curve[corpus].values[last]! : evaluatePower(curve[corpus].law, 100));
}

export function curveGoodness(curves: readonly Curve[], corpus: "domain" | "general", base: number): Goodness {
  const measured = curves.flatMap((curve) => curve[corpus].values.map((value) => base + value));
  const predicted = curves.flatMap((curve) => curve.T.map((T) => base + evaluatePower(curve[corpus].law, T)));
  return goodnessOf(measured, predicted);
}
