/**
 * What a fitted pair of D-CPT laws answers.
 *    1 trade-off        r* = argmin L_d(N₀, D₀, r) s.t. L_g(N₀, D₀, r) ≤ limit
 *    2 limited data     D = D_d/r, r* = argmin L_d(N₀, D_d/r, r) over 0 < r ≤ 1: domain tokens fixed, general text unlimited and fresh
 *    3 compute          N* = G·X^(β/(α+β)), D* = X/N*, X = FLOPs/6, G = (αA/(βB r^η))^(1/(α+β))
 *  Every answer carries its predictions with bands, where it extrapolates, and the answers that the next-best solutions of
 *  the fits would give. Source: Que et al., NeurIPS 2024, arXiv 2406.01375.
 */
import { FieldError } from "../../errors.ts";
import { type BandedPrediction, predictWithBand } from "./bootstrap.ts";
import { type DcptParameters, dcptLoss, shareOf } from "./d-cpt.ts";
import { type DcptFit, inputsOf, predictDcpt } from "./d-cpt-fit.ts";
import { argmin, keepingGeneral, type LossCurves, type ShareRange, type TradeOffPoint, tradeOff, weighted } from "./mixture-choice.ts";
import { quantile } from "./search.ts";

/** Both laws of one domain, with paired bootstrap replicas. */
export interface DcptPair {
  readonly domain: DcptFit;
  readonly general: DcptFit;
  readonly replicas: { readonly domain: readonly DcptParameters[]; readonly general: readonly DcptParameters[] };
}

/** A budget: tokens, and the model's size where the laws were fitted on several. */
export interface TrainingBudget {
  readonly tokens: number;
  readonly modelSize?: number;
}

/** The budget that goes with a domain share. */
export type BudgetAt = (ratio: number) => TrainingBudget;

export interface RatioAnswer {
  /** Null when no share meets the condition. */
  readonly ratio: number | null;
  /** Central 90 % of the replicas that have an answer. */
  readonly low: number | null;
  readonly high: number | null;
  /** Fraction of the replicas that have one. */
  readonly answered: number;
  readonly tokens: number;
  readonly domainLoss: BandedPrediction | null;
  readonly generalLoss: BandedPrediction | null;
  readonly warnings: readonly string[];
}

/** Usage 1: the best domain share that keeps the general loss at or below `limit`, nats per token. */
export function ratioKeepingGeneral(pair: DcptPair, budget: TrainingBudget, limit: number): RatioAnswer {
  return answer(
    pair,
    () => budget,
    (curves) => keepingGeneral(curves(budget), limit, sharesOf(pair)),
  );
}

/** The share that minimizes weight·domain + (1 − weight)·general loss. */
export function ratioByWeight(pair: DcptPair, budget: TrainingBudget, weight: number): RatioAnswer {
  if (!(weight >= 0 && weight <= 1))
    throw new FieldError("LAW_WEIGHT", { at: "weight", expected: "a number from 0 to 1", received: weight });
  return answer(
    pair,
    () => budget,
    (curves) => weighted(curves(budget), weight, sharesOf(pair)),
  );
}

/**
 * The shares that an answer may have: half of the way beyond the trained ones, to each end. At a share of exactly 0 the term B·r^η/D^β
 * vanishes whatever was measured nearby, so that a law that never saw one must not be asked there.
 */
const sharesOf = ({ domain: { range } }: DcptPair): ShareRange => ({ low: range.ratio[0] / 2, high: (1 + range.ratio[1]) / 2 });

/** Smallest share considered by usage 2: below, D = D_d/r leaves every plausible budget. */
const MIN_SPLIT_RATIO = 0.01;

/** Usage 2: how to spread a fixed amount of fresh domain tokens, i.e. how much general text to add to it, within `maxTokens` in all. */
export function splitOfDomainTokens(
  pair: DcptPair,
  domainTokens: number,
  { maxTokens = Number.POSITIVE_INFINITY, modelSize }: { readonly maxTokens?: number; readonly modelSize?: number } = {},
): RatioAnswer {
  const budgetAt = (ratio: number): TrainingBudget => ({ tokens: domainTokens / ratio, ...(modelSize === undefined ? {} : { modelSize }) });
  const low = Math.max(MIN_SPLIT_RATIO, domainTokens / maxTokens);
  return answer(pair, budgetAt, (curves) => argmin((ratio) => curves(budgetAt(ratio)).domain(ratio), { low }));
}

export interface ComputeAnswer {
  readonly modelSize: number;
  readonly tokens: number;
  readonly loss: number;
  readonly extrapolates: readonly string[];
}

/** Usage 3: model size and tokens that minimize the domain loss at a domain share and 6·N·D FLOPs. */
export function allocateCompute(domain: DcptFit, ratio: number, flops: number): ComputeAnswer {
  const { A, alpha, B, beta, eta } = domain.parameters;
  if (A === 0)
    throw new FieldError("LAW_TOO_FEW_PILOTS", {
      at: "law",
      expected: "a law fitted on at least 3 model sizes",
      received: 1,
      todo: "run pilots on other sizes",
    });
  const { units } = domain;
  const X = flops / 6 / (units.tokens * units.modelSize);
  const G = ((alpha * A) / (beta * B * shareOf("domain", ratio) ** eta)) ** (1 / (alpha + beta));
  const N = G * X ** (beta / (alpha + beta));
  const query = { ratio, modelSize: N * units.modelSize, tokens: (X / N) * units.tokens };
  return { modelSize: query.modelSize, tokens: query.tokens, ...predictDcpt(domain, query) };
}

/** Both losses over the shares that an answer may have, at one budget, or at that which each share has. */
export function tradeOffAt(pair: DcptPair, budget: TrainingBudget | BudgetAt, steps?: number): TradeOffPoint[] {
  const at = typeof budget === "function" ? budget : () => budget;
  checkBudget(pair, at(0.5));
  const curves = curvesFrom(pair, pair.domain.parameters, pair.general.parameters);
  const along: LossCurves = { domain: (ratio) => curves(at(ratio)).domain(ratio), general: (ratio) => curves(at(ratio)).general(ratio) };
  return tradeOff(along, steps, sharesOf(pair));
}

/** The curves below are evaluated a hundred thousand times and trust their budget: it is checked here, once. */
function checkBudget(pair: DcptPair, budget: TrainingBudget): void {
  for (const fit of [pair.domain, pair.general]) predictDcpt(fit, { ...budget, ratio: 0.5 });
}

type CurvesAt = (budget: TrainingBudget) => LossCurves;

const curvesFrom =
  (pair: DcptPair, domain: DcptParameters, general: DcptParameters): CurvesAt =>
  (budget) => ({
    domain: (ratio) => dcptLoss(domain, inputsOf({ ...budget, ratio }, "domain", pair.domain.units)),
    general: (ratio) => dcptLoss(general, inputsOf({ ...budget, ratio }, "general", pair.general.units)),
  });

/** A larger difference between the best and the next-best solution's share is worth a warning. */
const SAME_RATIO = 0.02;

function answer(pair: DcptPair, budgetAt: BudgetAt, choose: (curves: CurvesAt) => number | null): RatioAnswer {
  const { domain, general, replicas } = pair;
  checkBudget(pair, budgetAt(0.5));
  const ratio = choose(curvesFrom(pair, domain.parameters, general.parameters));
  const others = replicas.domain.map((parameters, i) => choose(curvesFrom(pair, parameters, replicas.general[i]!)));
  const answered = others.filter((other) => other !== null);
  const warnings = [...new Set([...domain.warnings, ...general.warnings])];
  const runnerUp = choose(curvesFrom(pair, domain.runnerUp ?? domain.parameters, general.runnerUp ?? general.parameters));
  if (ratio !== null && (runnerUp === null || Math.abs(runnerUp - ratio) > SAME_RATIO))
    warnings.push(
      `The next-best solution of the fit gives ${runnerUp === null ? "no ratio" : runnerUp.toFixed(3)} instead: run more pilots.`,
    );
  const at = (fit: DcptFit, parameters: readonly DcptParameters[]) =>
    ratio === null ? null : predictWithBand(fit, parameters, { ...budgetAt(ratio), ratio });
  const domainLoss = at(domain, replicas.domain);
  if (ratio !== null && ratio > 0 && ratio < domain.smallestShare)
    warnings.push("The share is below the smallest that was trained, where the loss may rise with tokens although the law cannot.");
  if (domainLoss !== null && domainLoss.extrapolates.length > 0)
    warnings.push(`Extrapolation in ${domainLoss.extrapolates.join(" and ")}: no pilot was run there.`);
  return {
    ratio,
    low: answered.length > 0 ? quantile(answered, 0.05) : null,
    high: answered.length > 0 ? quantile(answered, 0.95) : null,
    answered: others.length > 0 ? answered.length / others.length : 0,
    tokens: budgetAt(ratio ?? 1).tokens,
    domainLoss,
    generalLoss: at(general, replicas.general),
    warnings,
  };
}
