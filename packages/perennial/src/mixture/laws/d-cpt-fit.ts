/**
 * Fits the D-CPT law: mean Huber loss of log residuals, L-BFGS in the logarithms of the parameters (so that all stay
 * positive), from a grid of starts of which the better ones are carried on; the best solution is kept, with the whole
 * table of starts and the best solution that is a different one.
 *  Our choices, where the paper is silent (Chinchilla's convention): δ = 1e-3 on log losses, 96 starts
 *    E ∈ {0.3, 0.9}·min L · A, B, C ∈ {0.1, 1} · α = β = η = γ ∈ {0.2, 0.5, 1} · ε ∈ {0.01, 0.1}.
 *  With one model size, A/N^α cannot be told from E, so it is left out (A = 0) and the fit says so.
 *  Source: Que et al., NeurIPS 2024, arXiv 2406.01375.
 */
import { type Corpus, type DcptInputs, type DcptParameters, dcptLoss, dcptSlopeInShare, shareOf } from "./d-cpt.ts";
import { type DcptData, dcptData, dcptObjective, type Fixed, freeNames, logsOf, parametersAt } from "./d-cpt-objective.ts";
import { type Goodness, goodnessOf, HUBER_DELTA } from "./goodness.ts";
import { type Minimum, minimize } from "./lbfgs.ts";
import {
  checkPoints,
  distinct,
  isOutside,
  type LossPoint,
  powerOfThousandUpTo,
  rangeOf,
  requireEnough,
  type ValueRange,
} from "./points.ts";

export type DcptForm = "l3" | "additive";

export interface DcptUnits {
  /** Tokens per unit of D. */
  readonly tokens: number;
  /** Parameters per unit of N. */
  readonly modelSize: number;
}

export interface DcptFitOptions {
  /** Whose loss the points carry. */
  readonly corpus: Corpus;
  readonly form?: DcptForm;
  /** δ of the Huber loss, on log losses. */
  readonly delta?: number;
  /** Default: the largest power of 1,000 up to the largest value, so 26e9 tokens are counted in 1e9. */
  readonly units?: Partial<DcptUnits>;
  /** Default: the grid of 96. */
  readonly starts?: readonly DcptParameters[];
  /** Name of the points in messages. */
  readonly at?: string;
}

export interface FittedStart {
  readonly start: DcptParameters;
  /** Objective where this start was left: at a minimum when `finished`. */
  readonly objective: number;
  readonly finished: boolean;
}

/** Plain JSON. Predict with `predictDcpt`. */
export interface DcptFit {
  readonly law: "d-cpt";
  readonly form: DcptForm;
  readonly corpus: Corpus;
  readonly units: DcptUnits;
  readonly parameters: DcptParameters;
  /** Free parameters: what the data decided. */
  readonly fitted: readonly string[];
  readonly delta: number;
  readonly objective: number;
  readonly goodness: Goodness;
  /** What the points span; a prediction outside is extrapolation. */
  readonly range: { readonly ratio: ValueRange; readonly tokens: ValueRange; readonly modelSize: ValueRange | null };
  /** Smallest share of the fitted corpus above 0: below it the law cannot show that loss may rise with tokens. */
  readonly smallestShare: number;
  readonly starts: readonly FittedStart[];
  /** The next-best solution that is not the best one again, if its objective is within 1 %. */
  readonly runnerUp: DcptParameters | null;
  readonly warnings: readonly string[];
}

/** Terms switched off are fixed; the cross-domain term is off in every single-domain law. */
const NO_DOMAIN_TERM: Fixed = { F: 0, mu: 1, w1: 1, w2: 1 };
const FORM: Record<DcptForm, Fixed> = { l3: {}, additive: { eta: 0 } };

/** Iterations of a round, and how many of its starts go on to the next. The last round runs to the minimum. */
const ROUNDS = [
  { maxIterations: 30, keep: 24 },
  { maxIterations: 80, keep: 8 },
  { maxIterations: 2000, keep: 8 },
] as const;

export function fitDcpt(points: readonly LossPoint[], options: DcptFitOptions): DcptFit {
  const { corpus, form = "l3", delta = HUBER_DELTA, at = `${corpus} points` } = options;
  checkPoints(points, { at, ratios: "closed" });
  const sizes = modelSizes(points, at);
  const fixed: Fixed = { ...NO_DOMAIN_TERM, ...FORM[form], ...(sizes.length < 2 ? { A: 0, alpha: 1 } : {}) };
  const fitted = freeNames(fixed);
  requireVariety(points, sizes, fitted.length, at);

  const units: DcptUnits = {
    tokens: options.units?.tokens ?? powerOfThousandUpTo(Math.max(...points.map((point) => point.tokens))),
    modelSize: options.units?.modelSize ?? (sizes.length > 0 ? powerOfThousandUpTo(Math.max(...sizes)) : 1),
  };
  const rows = points.map((point) => ({ ...inputsOf(point, corpus, units), loss: point.loss }));
  const { best, runnerUp, starts } = fitRows(
    dcptData(rows),
    fixed,
    delta,
    options.starts ?? startGrid(Math.min(...rows.map((r) => r.loss))),
  );
  const shares = rows.map((row) => row.share).filter((share) => share > 0);
  const fit = {
    law: "d-cpt" as const,
    form,
    corpus,
    units,
    parameters: best.parameters,
    fitted,
    delta,
    objective: best.objective,
    goodness: goodnessOf(
      points.map((point) => point.loss),
      rows.map((row) => dcptLoss(best.parameters, row)),
      delta,
    ),
    range: {
      ratio: rangeOf(points.map((point) => point.ratio)),
      tokens: rangeOf(points.map((point) => point.tokens)),
      modelSize: sizes.length > 0 ? rangeOf(sizes) : null,
    },
    smallestShare: Math.min(...shares),
    starts,
    runnerUp,
  };
  return { ...fit, warnings: warningsOf(fit, rows, sizes.length) };
}

export interface DcptQuery {
  /** Domain share, 0–1, for either corpus. */
  readonly ratio: number;
  readonly tokens: number;
  /** Needed when the law was fitted on several sizes. */
  readonly modelSize?: number;
}

export type Dimension = "ratio" | "tokens" | "modelSize";

export interface LawPrediction {
  /** Nats per token. */
  readonly loss: number;
  /** In which inputs the question lies outside the points that the law was fitted to; empty: interpolation. */
  readonly extrapolates: readonly Dimension[];
}

export function predictDcpt(fit: DcptFit, query: DcptQuery, parameters: DcptParameters = fit.parameters): LawPrediction {
  const at = "query";
  checkPoints([{ ...query, loss: 1 }], { at, ratios: "closed" });
  if (parameters.A !== 0 && query.modelSize === undefined)
    requireEnough(`${at}.modelSize`, "model size", 0, 1, "this law was fitted on several sizes: say for which one to predict");
  const { range } = fit;
  const extrapolates: Dimension[] = [];
  if (isOutside(query.ratio, range.ratio)) extrapolates.push("ratio");
  if (isOutside(query.tokens, range.tokens)) extrapolates.push("tokens");
  if (query.modelSize !== undefined && range.modelSize !== null && isOutside(query.modelSize, range.modelSize))
    extrapolates.push("modelSize");
  return { loss: dcptLoss(parameters, inputsOf(query, fit.corpus, fit.units)), extrapolates };
}

export const inputsOf = (query: DcptQuery, corpus: Corpus, units: DcptUnits): DcptInputs => ({
  modelSize: (query.modelSize ?? units.modelSize) / units.modelSize,
  tokens: query.tokens / units.tokens,
  share: shareOf(corpus, query.ratio),
});

export interface RowFit {
  readonly best: { readonly parameters: DcptParameters; readonly objective: number };
  readonly runnerUp: DcptParameters | null;
  readonly starts: readonly FittedStart[];
}

/** The search itself, for data already in units: rounds of L-BFGS over the starts, the better ones carried on. */
export function fitRows(data: DcptData, fixed: Fixed, delta: number, starts: readonly DcptParameters[]): RowFit {
  const objective = dcptObjective(data, fixed, delta);
  let alive = starts.map((_, index) => index);
  const reached: Minimum[] = [];
  for (const { maxIterations, keep } of ROUNDS) {
    for (const i of alive) reached[i] = minimize(objective, reached[i]?.x ?? logsOf(starts[i]!, fixed), { maxIterations });
    alive = [...alive].sort((a, b) => reached[a]!.value - reached[b]!.value).slice(0, keep);
  }
  const best = reached[alive[0]!]!;
  const other = alive.find((i) => differs(reached[i]!.x, best.x) && reached[i]!.value <= best.value * 1.01);
  return {
    best: { parameters: parametersAt(best.x, fixed), objective: best.value },
    runnerUp: other === undefined ? null : parametersAt(reached[other]!.x, fixed),
    starts: starts.map((start, i) => ({
      start,
      objective: reached[i]!.value,
      finished: alive.includes(i) && reached[i]!.stopped !== "iterations",
    })),
  };
}

/** Two solutions are the same when every parameter agrees to 1 %. */
const differs = (a: Float64Array, b: Float64Array) => a.some((value, i) => Math.abs(value - b[i]!) > 0.01);

export function startGrid(minLoss: number): DcptParameters[] {
  const starts: DcptParameters[] = [];
  for (const e of [0.3, 0.9])
    for (const A of [0.1, 1])
      for (const B of [0.1, 1])
        for (const C of [0.1, 1])
          for (const exponent of [0.2, 0.5, 1])
            for (const epsilon of [0.01, 0.1])
              starts.push({
                E: e * minLoss,
                A,
                alpha: exponent,
                B,
                beta: exponent,
                eta: exponent,
                C,
                gamma: exponent,
                epsilon,
                F: 1,
                mu: exponent,
                w1: 1,
                w2: 1,
              });
  return starts;
}

function modelSizes(points: readonly LossPoint[], at: string): number[] {
  const known = points.flatMap((point) => (point.modelSize === undefined ? [] : [point.modelSize]));
  if (known.length > 0)
    requireEnough(at, "points with a modelSize (all or none)", known.length, points.length, "give every point its modelSize");
  return distinct(known);
}

function requireVariety(points: readonly LossPoint[], sizes: readonly number[], free: number, at: string): void {
  const count = (name: "ratio" | "tokens") => distinct(points.map((point) => point[name])).length;
  requireEnough(at, "different ratios", count("ratio"), 4, "run pilots at more domain shares, e.g. 1/8, 1/4, 1/2 and 3/4");
  requireEnough(at, "different token counts", count("tokens"), 3, "evaluate each pilot at several checkpoints");
  requireEnough(at, "points", points.length, free + 1, `the law has ${free} free parameters: evaluate at more checkpoints or ratios`);
  if (sizes.length > 1)
    requireEnough(
      at,
      "model sizes, or one",
      sizes.length,
      3,
      "two sizes cannot decide E, A and alpha: add a third or fit each size on its own",
    );
}

function warningsOf(
  fit: Pick<DcptFit, "parameters" | "runnerUp" | "corpus" | "units">,
  rows: readonly DcptInputs[],
  sizes: number,
): string[] {
  const warnings: string[] = [];
  if (sizes < 2) warnings.push("One model size: the size term is part of E, and the law says nothing about other sizes.");
  const rising = rows.find((row) => row.share > 0 && dcptSlopeInShare(fit.parameters, row) > 0);
  if (rising !== undefined)
    warnings.push(
      `At ${rising.tokens * fit.units.tokens} tokens and a ${fit.corpus} share of ${rising.share} the fitted ${fit.corpus} loss rises with its own share; do not trust the law there.`,
    );
  if (fit.runnerUp !== null)
    warnings.push("Another solution fits almost as well: compare the answers it gives before acting on a parameter.");
  return warnings;
}
