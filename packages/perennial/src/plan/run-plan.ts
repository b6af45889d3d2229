/**
 * From a base model, two corpora and a budget to a mixture and its recipe: pilots are trained, laws fitted, a share recommended with its
 * uncertainty, and all of it written down: `recipe.yaml` for `perennial train`, `plan.html`, `plan.json`; the pilots are runs in the store.
 */
import { mkdirSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { writeFileAtomic } from "../corpus/formats/index.ts";
import { FieldError, PerennialError } from "../errors.ts";
import {
  type MixturePlan,
  type PilotResult,
  type PilotSpec,
  type PlanSpec,
  pilotsOf,
  planMixture,
  planSchema,
  type Verification,
  verifyPlan,
  wholeSteps,
} from "../mixture/laws/index.ts";
import { countParameters } from "../model/cost.ts";
import { readConfig } from "../model/index.ts";
import { estimateOf, modelShape, planOf, resolveRecipe } from "../recipe/index.ts";
import { corpusSizes, type Listener } from "../run/index.ts";
import { planPage } from "./page.ts";
import { pilotRuns, recipeOf, type Sharing, sharingOf, tokensPerStepOf } from "./pilot-runs.ts";
import { plannedRecipe, recipeText } from "./recipe-text.ts";
import { pilotRunner } from "./run-pilot.ts";
import type { PlanFile } from "./schema.ts";

/** A plan before anything is trained: what it asks, and what that costs. */
export interface PlanOutline {
  readonly plan: PlanFile;
  readonly spec: PlanSpec;
  readonly tokensPerStep: number;
  readonly sharing: Sharing;
  readonly corpora: Readonly<Record<"domain" | "general", { readonly tokens: number; readonly exact: boolean }>>;
  readonly models: readonly { readonly path: string; readonly parameters: number }[];
  readonly pilots: readonly PlannedPilot[];
  /** Floating point operations of all pilots, and of the three runs of a verification. */
  readonly flops: { readonly pilots: number; readonly verification: number };
}

export interface PlannedPilot {
  readonly spec: PilotSpec;
  readonly runs: number;
  readonly trainedTokens: number;
  readonly flops: number;
}

export async function outlinePlan(plan: PlanFile, baseFolder: string): Promise<PlanOutline> {
  const path = (model: string) => (isAbsolute(model) ? model : resolve(baseFolder, model));
  const parametersOf = (model: string) => countParameters(readConfig(path(model)).config).total;
  const models = [plan.model, ...(plan.pilots.models ?? [])].map((model) => ({ path: path(model), parameters: parametersOf(model) }));
  const tokensPerStep = tokensPerStepOf(plan);
  const [probe] = resolveRecipe(recipeOf(plan, { ratio: 0.5, steps: 1, baseFolder })).variants;
  const sizes = await corpusSizes(probe, baseFolder);
  const sizeOf = (name: string) => {
    const found = sizes.find((size) => size.name === name)!;
    if (found.tokens === null || found.tokens === 0)
      throw new FieldError("PLAN_CORPUS", { at: `corpora.${name}`, expected: "text", received: `${found.files} files without any` });
    return { tokens: found.tokens, exact: found.exact };
  };
  const corpora = { domain: sizeOf("domain"), general: sizeOf("general") };
  const { budgets, models: _, ...pilotOptions } = plan.pilots;
  const [first, ...pilotModels] = models;
  const spec: PlanSpec = {
    budgetTokens: Math.ceil(plan.tokens / tokensPerStep) * tokensPerStep,
    tokensPerStep,
    domainTokens: corpora.domain.tokens,
    generalTokens: corpora.general.tokens,
    goal: plan.goal,
    maxEpochs: plan.maxEpochs,
    pilots: {
      ...pilotOptions,
      checkpoints: budgets,
      ...(pilotModels.length === 0 ? {} : { modelSizes: distinctSizes(pilotModels) }),
    },
    ...(pilotModels.length === 0 ? {} : { modelSize: first!.parameters }),
    replicas: plan.replicas,
    seed: plan.seed,
  };
  const pilots: PlannedPilot[] = [];
  for (const pilot of pilotsOf(planSchema.parse(spec))) {
    const { runs, trainedSteps } = pilotRuns(plan, pilot, tokensPerStep);
    let flops = 0;
    for (const run of runs) {
      const model = modelAt(models, pilot.modelSize);
      const [recipe] = resolveRecipe(recipeOf(plan, { ratio: pilot.ratio, ...run, model, baseFolder })).variants;
      const estimate = estimateOf(recipe, planOf(recipe), await modelShape(recipe, baseFolder));
      flops += (estimate.trainingFlops * (run.steps - (run.branchAt ?? 0))) / run.steps + estimate.evaluationFlops;
    }
    pilots.push({ spec: pilot, runs: runs.length, trainedTokens: trainedSteps * tokensPerStep, flops });
  }
  const [whole] = resolveRecipe(recipeOf(plan, { ratio: 0.5, steps: spec.budgetTokens / tokensPerStep, baseFolder })).variants;
  const one = estimateOf(whole, planOf(whole), await modelShape(whole, baseFolder));
  return {
    plan,
    spec,
    tokensPerStep,
    sharing: sharingOf(plan.train.schedule),
    corpora,
    models,
    pilots,
    flops: { pilots: pilots.reduce((sum, { flops }) => sum + flops, 0), verification: 3 * (one.trainingFlops + one.evaluationFlops) },
  };
}

type SizedModel = PlanOutline["models"][number];

function distinctSizes(models: readonly SizedModel[]): number[] {
  const sizes = models.map(({ parameters }) => parameters);
  const twice = models.find(({ parameters }, i) => sizes.indexOf(parameters) < i);
  if (twice === undefined) return sizes;
  throw new FieldError("PLAN_MODELS", { at: "pilots.models", expected: "models of different sizes", received: twice.path });
}

const modelAt = (models: readonly SizedModel[], modelSize: number | undefined): string =>
  (models.slice(1).find(({ parameters }) => parameters === modelSize) ?? models[0]!).path;

export interface PlanOptions {
  readonly baseFolder: string;
  readonly storePath: string;
  readonly cacheFolder: string;
  /** Train at the recommended and two other shares, and put measured beside predicted. */
  readonly verify?: boolean;
  readonly listen?: Listener;
  readonly signal?: AbortSignal;
  readonly versions?: Readonly<Record<string, string>>;
}

export interface PlanOutcome {
  readonly plan: MixturePlan;
  readonly verification: Verification | null;
  /** Null when no share keeps to the goal. */
  readonly recipe: string | null;
  readonly page: string;
  readonly json: string;
}

/** Idempotent: what is trained is not trained again, whether the last call ended, was stopped or was killed. */
export async function runPlan(outline: PlanOutline, options: PlanOptions): Promise<PlanOutcome> {
  const { plan, spec, tokensPerStep, models } = outline;
  const { baseFolder, listen } = options;
  const folder = isAbsolute(plan.output) ? plan.output : resolve(baseFolder, plan.output);
  mkdirSync(folder, { recursive: true });
  const context = {
    ...options,
    plan,
    pilotsFolder: join(folder, "pilots"),
    tokensPerStep,
    modelOf: (modelSize: number | undefined) => modelAt(models, modelSize),
  };
  const run = pilotRunner(context);
  const total = outline.pilots.length;
  let number = 0;
  const told = (what: string) => async (pilot: PilotSpec) => {
    const size = pilot.modelSize === undefined ? "" : `, ${pilot.modelSize} parameters`;
    listen?.({
      kind: "note",
      text: `${what} ${++number}${what === "pilot" ? ` of ${total}` : ""}: ${(100 * pilot.ratio).toFixed(1)} % domain${size}`,
    });
    return run(pilot);
  };
  const known = new Map<string, PilotResult>();
  const mixture = await planMixture(spec, told("pilot"), known);
  const { ratio, tokens } = mixture.recommendation;
  const steps = wholeSteps(tokens, { tokensPerStep }) / tokensPerStep;
  const files = { recipe: join(folder, "recipe.yaml"), page: join(folder, "plan.html"), json: join(folder, "plan.json") };
  if (ratio !== null) writeFileAtomic(files.recipe, recipeText(plannedRecipe(plan, ratio, steps, baseFolder, folder), mixture));
  const write = (verification: Verification | null) => {
    writeFileAtomic(files.json, `${JSON.stringify(savedPlan(mixture, verification), undefined, 1)}\n`);
    writeFileAtomic(files.page, planPage(plan, outline, mixture, verification));
  };
  // The recipe is of use before the verification, which takes longer than the pilots.
  write(null);
  number = 0;
  let verification: Verification | null = null;
  if (options.verify === true) {
    verification = await verifyPlan(mixture, told("verification"), known);
    write(verification);
  }
  if (options.signal?.aborted === true) throw new PerennialError("PLAN_INTERRUPTED", "interrupted");
  return { plan: mixture, verification, recipe: ratio === null ? null : files.recipe, page: files.page, json: files.json };
}

/** What is worth reading again: everything but the tables of the fits' starts. */
function savedPlan({ pair, ...rest }: MixturePlan, verification: Verification | null): unknown {
  const law = ({ starts: _, ...fit }: MixturePlan["pair"]["domain"]) => fit;
  return { ...rest, laws: { domain: law(pair.domain), general: law(pair.general) }, verification };
}
