/**
 * From corpora and a budget to a mixture: propose pilots → run them → fit the laws → predict → recommend, with uncertainty.
 *  The pilots run through an injected function; this file knows no model. Everything it returns is plain JSON.
 *  Source of the laws: arXiv 2406.01375 (D-CPT) and 2407.17467 (CMR), which answer the same question in two ways; the
 *  recommendation is D-CPT's, CMR's critical ratio is shown beside it.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { bootstrapDcpt } from "./bootstrap.ts";
import { type CmrFit, fitCmr } from "./cmr.ts";
import { type HeldOutError, holdOut, nearestPilot } from "./cross-validation.ts";
import { fitDcpt, predictDcpt } from "./d-cpt-fit.ts";
import {
  allocateCompute,
  type ComputeAnswer,
  type DcptPair,
  type RatioAnswer,
  ratioByWeight,
  ratioKeepingGeneral,
  splitOfDomainTokens,
  type TrainingBudget,
  tradeOffAt,
} from "./d-cpt-uses.ts";
import type { TradeOffPoint } from "./mixture-choice.ts";
import {
  PILOT_RATIOS,
  type PilotResult,
  type PilotSpec,
  type PilotStore,
  pointsOf,
  proposePilots,
  type RunPilot,
  runPilots,
} from "./pilots.ts";
import { distinct, type LossPoint } from "./points.ts";

const corpusSize = (what: string) =>
  z.number().positive().describe(`tokens of ${what} text there are, as the model's tokenizer counts them`);

export const goalSchema = z
  .discriminatedUnion("goal", [
    z.strictObject({
      goal: z.literal("keep-general").describe("lowest domain loss whose general loss stays near the base model's"),
      epsilon: z.number().nonnegative().default(0.05).describe("nats per token that the general loss may end above the base model's"),
      baseGeneralLoss: z
        .number()
        .positive()
        .optional()
        .describe("general loss of the model before training, nats per token; default: as its pilots measured it"),
    }),
    z.strictObject({
      goal: z.literal("weighted").describe("lowest weighted sum of both losses"),
      weight: z.number().min(0).max(1).default(0.5).describe("weight of the domain loss; the general loss has the rest"),
    }),
    z.strictObject({
      goal: z
        .literal("split-domain")
        .describe("lowest domain loss of a fixed amount of domain text, all of it used: how much general text to add"),
      domainTokens: z
        .number()
        .positive()
        .optional()
        .describe("domain tokens to spend; default: all there are, once. `tokens` then bounds domain and general text together"),
    }),
  ])
  .default({ goal: "keep-general", epsilon: 0.05 })
  .describe("what the mixture is chosen for");

export const pilotShare = z.number().positive().max(1).default(0.1).describe("tokens of a pilot run as a fraction of the budget");
export const pilotRatios = z
  .array(z.number().gt(0).lt(1))
  .min(4)
  .default([...PILOT_RATIOS])
  .describe("domain shares to try, above 0 and below 1");
export const maxPlannedEpochs = z.number().positive().default(4).describe("repeats of a corpus above which the plan warns");
export const planReplicas = z.int().min(20).default(200).describe("bootstrap refits behind every interval");

export const planSchema = z.strictObject({
  budgetTokens: z.number().positive().describe("tokens of the continued pre-training that is being planned"),
  tokensPerStep: z.int().min(1).default(1).describe("tokens of an optimizer step: pilots end on whole steps"),
  modelSize: z.number().positive().optional().describe("parameters of the model to be trained; needed with several pilot sizes"),
  domainTokens: corpusSize("domain"),
  generalTokens: corpusSize("general"),
  goal: goalSchema,
  maxEpochs: maxPlannedEpochs,
  pilots: z
    .strictObject({
      share: pilotShare,
      ratios: pilotRatios,
      modelSizes: z.array(z.number().positive()).min(1).optional().describe("parameters of the pilot models: one, or at least three"),
      checkpoints: z.int().min(6).default(12).describe("evaluations per pilot run, at geometrically growing token counts"),
    })
    .prefault({})
    .describe("the runs that the laws are fitted to"),
  replicas: planReplicas,
  seed: z.int().default(1).describe("seed of the pilots and of the bootstrap"),
});
export type PlanSpec = z.input<typeof planSchema>;
export type PlanOptions = z.output<typeof planSchema>;

export interface Recommendation extends RatioAnswer {
  /** How often each corpus is gone through at the recommended share. */
  readonly epochs: { readonly domain: number; readonly general: number } | null;
}

/**
 * What is trained at a share: the budget, or, where the domain tokens are fixed, those and the general tokens that make them this share. At
 * shares too small for that, the budget is a bound.
 */
export function budgetAt({ budgetTokens, modelSize, ...options }: PlanOptions, ratio: number): TrainingBudget {
  const { goal, domainTokens } = options;
  const tokens = goal.goal === "split-domain" ? Math.min(budgetTokens, (goal.domainTokens ?? domainTokens) / ratio) : budgetTokens;
  return { tokens, ...(modelSize === undefined ? {} : { modelSize }) };
}

/** Measurements of one run that the CMR law's general token law needs. */
const CMR_CHECKPOINTS = 6;

/** Plain JSON: what was tried, what it says, and how far to trust it. */
export interface MixturePlan {
  readonly options: PlanOptions;
  readonly pilots: readonly PilotSpec[];
  readonly results: readonly PilotResult[];
  readonly pair: DcptPair;
  /** Null with several model sizes, because the CMR law is one model's, and where pilots were measured too rarely for it. */
  readonly cmr: CmrFit | null;
  /** Errors on ratios that the fit did not see, beside those of the nearest pilot. */
  readonly heldOut: Readonly<Record<"domain" | "general", { readonly law: HeldOutError; readonly nearestPilot: HeldOutError } | null>>;
  /** Errors on the largest third of the pilots' budgets, fitted to the others: what an extrapolation in tokens may cost. */
  readonly ahead: Readonly<Record<"domain" | "general", HeldOutError>>;
  readonly recommendation: Recommendation;
  readonly tradeOff: readonly TradeOffPoint[];
  /** With several model sizes: size and tokens that would make the most of the operations of the recommended run, at its share. */
  readonly compute: ComputeAnswer | null;
}

export const pilotsOf = ({ budgetTokens, tokensPerStep, pilots, seed }: PlanOptions): PilotSpec[] =>
  proposePilots({
    tokens: Math.round(budgetTokens * pilots.share),
    tokensPerStep,
    ratios: pilots.ratios,
    checkpoints: pilots.checkpoints,
    seed,
    ...(pilots.modelSizes === undefined ? {} : { modelSizes: pilots.modelSizes }),
  });

export async function planMixture(spec: PlanSpec, run: RunPilot, store: PilotStore): Promise<MixturePlan> {
  const options = planSchema.parse(spec);
  const pilots = pilotsOf(options);
  checkSplit(options);
  const base = basePilot(pilots, options);
  const results = await runPilots(pilots, run, store);
  const points = { domain: pointsOf(pilots, results, "domain"), general: pointsOf(pilots, results, "general") };
  const [domain, general] = [fitDcpt(points.domain, { corpus: "domain" }), fitDcpt(points.general, { corpus: "general" })];
  const bootstrap = { seed: options.seed, replicas: options.replicas };
  const replicas = { domain: bootstrapDcpt(domain, points.domain, bootstrap), general: bootstrapDcpt(general, points.general, bootstrap) };
  const pair: DcptPair = { domain, general, replicas };
  const ahead = { domain: aheadOf(points.domain, "domain"), general: aheadOf(points.general, "general") };
  const answered = recommend(pair, results[base]?.base.generalLoss, options);
  const recommendation = { ...answered, warnings: [...answered.warnings, ...missesAhead(ahead, answered.tokens / pilots[0]!.tokens)] };
  return {
    options,
    pilots,
    results,
    pair,
    cmr: (options.pilots.modelSizes?.length ?? 1) > 1 ? null : cmrOf(pilots, results, options),
    heldOut: { domain: checked(points.domain, "domain"), general: checked(points.general, "general") },
    ahead,
    recommendation,
    tradeOff: tradeOffAt(pair, (ratio) => budgetAt(options, ratio)),
    compute: computeOf(pair, recommendation, options),
  };
}

function recommend(pair: DcptPair, baseGeneralLoss: number | undefined, options: PlanOptions): Recommendation {
  const { domainTokens, generalTokens, maxEpochs } = options;
  const answer = answerTo(pair, baseGeneralLoss, options);
  const warnings = [...answer.warnings];
  if (answer.ratio === null)
    return {
      ...answer,
      epochs: null,
      warnings: [...warnings, "No share keeps the general loss within the tolerance: allow more, or train less."],
    };
  const { tokens, ratio } = answer;
  const epochs = { domain: (ratio * tokens) / domainTokens, general: ((1 - ratio) * tokens) / generalTokens };
  for (const [corpus, times] of Object.entries(epochs))
    if (times > maxEpochs) warnings.push(`The ${corpus} text would be repeated ${times.toFixed(1)} times; the law assumes fresh text.`);
  return { ...answer, epochs, warnings };
}

function answerTo(pair: DcptPair, baseGeneralLoss: number | undefined, options: PlanOptions): RatioAnswer {
  const { goal, domainTokens, budgetTokens: maxTokens, modelSize } = options;
  const budget = budgetAt(options, 0);
  switch (goal.goal) {
    case "weighted":
      return ratioByWeight(pair, budget, goal.weight);
    case "keep-general":
      return ratioKeepingGeneral(pair, budget, (goal.baseGeneralLoss ?? baseGeneralLoss!) + goal.epsilon);
    case "split-domain":
      return splitOfDomainTokens(pair, goal.domainTokens ?? domainTokens, { maxTokens, ...(modelSize === undefined ? {} : { modelSize }) });
  }
}

function computeOf(pair: DcptPair, { ratio, tokens }: Recommendation, { modelSize }: PlanOptions): ComputeAnswer | null {
  return ratio === null || modelSize === undefined || pair.domain.parameters.A === 0
    ? null
    : allocateCompute(pair.domain, ratio, 6 * modelSize * tokens);
}

/** Before any pilot runs. */
function checkSplit({ goal, domainTokens, budgetTokens }: PlanOptions): void {
  if (goal.goal !== "split-domain") return;
  const spent = goal.domainTokens ?? domainTokens;
  if (spent > budgetTokens)
    throw new FieldError("LAW_SPLIT", {
      at: "goal.domainTokens",
      expected: `at most the ${budgetTokens} tokens of the whole budget`,
      received: spent,
      todo: "write fewer domain tokens, or a larger budget: it bounds domain and general text together",
    });
}

/** The pilot that measures the base model of the planned run. Asked for before any pilot runs, so that a gap costs nothing. */
function basePilot(pilots: readonly PilotSpec[], { goal, modelSize }: PlanOptions): number {
  const sized = pilots.some((pilot) => pilot.modelSize !== undefined);
  if (sized && pilots.some((pilot) => pilot.modelSize !== pilots[0]!.modelSize) && modelSize === undefined)
    throw new FieldError("LAW_MODEL_SIZE", {
      at: "modelSize",
      expected: "the parameters of the model to be trained",
      todo: "the pilots have several sizes: say for which one to plan",
    });
  const i = pilots.findIndex((pilot) => pilot.modelSize === modelSize || pilot.modelSize === undefined || modelSize === undefined);
  if (i < 0 && goal.goal === "keep-general" && goal.baseGeneralLoss === undefined)
    throw new FieldError("LAW_BASE_LOSS", {
      at: "goal.baseGeneralLoss",
      expected: "the general loss of the model to be trained",
      todo: `no pilot has its size (${modelSize}): evaluate it once and write the loss here`,
    });
  return i;
}

/**
 * The law of the turning point holds at a constant rate: annealing turns losses down by itself. Null where the trunks were measured
 * too rarely for its five parameters: branches of short budgets may leave the trunk at the same step.
 */
function cmrOf(pilots: readonly PilotSpec[], results: readonly PilotResult[], { goal }: PlanOptions): CmrFit | null {
  const { base } = results[0]!;
  const domain = pointsOf(pilots, results, "domain", "constant");
  if (distinct(domain.map(({ tokens }) => tokens)).length < CMR_CHECKPOINTS) return null;
  return fitCmr(
    {
      domain,
      general: pointsOf(pilots, results, "general", "constant"),
      base: { domain: base.domainLoss, general: base.generalLoss },
    },
    goal.goal === "keep-general" ? { epsilon: goal.epsilon } : {},
  );
}

const fitTo = (corpus: "domain" | "general") => (kept: readonly LossPoint[]) => {
  const fit = fitDcpt(kept, { corpus });
  return (query: Omit<LossPoint, "loss">) => predictDcpt(fit, query).loss;
};

const aheadOf = (points: readonly LossPoint[], corpus: "domain" | "general") => holdOut(points, "tokens", fitTo(corpus));

/** Mean relative error of a law on budgets beyond those it was fitted to, from which on its bands should not be believed. */
const MISSES = 0.01;

/** The bootstrap knows how far runs scatter, not whether the form of the law holds further on: that is what this tells. */
const missesAhead = (ahead: MixturePlan["ahead"], factor: number): string[] =>
  factor <= 1 + 1e-9
    ? []
    : (["domain", "general"] as const).flatMap((corpus) => {
        const { relativeError } = ahead[corpus].pooled;
        return relativeError <= MISSES
          ? []
          : [
              `Fitted without the pilots' largest budgets, the ${corpus} law misses those by ${(100 * relativeError).toFixed(1)} %; the plan goes ${factor.toFixed(1)} times further than the pilots. Do not believe its bands: raise pilots.share, or verify.`,
            ];
      });

/** Held-out errors over interior ratios; with four ratios none can be spared. */
function checked(points: readonly LossPoint[], corpus: "domain" | "general"): { law: HeldOutError; nearestPilot: HeldOutError } | null {
  if (new Set(points.map((point) => point.ratio)).size < 5) return null;
  const law = holdOut(points, "ratio", fitTo(corpus));
  return { law, nearestPilot: holdOut(points, "ratio", nearestPilot) };
}
