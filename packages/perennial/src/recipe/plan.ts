/**
 * What a recipe will do, in numbers, before anything is done.
 *   tokensPerStep = microBatchSize · sequenceLength · gradientAccumulationSteps · worldSize     steps = ⌈tokens / tokensPerStep⌉
 */
import { FieldError } from "../errors.ts";
import { leaveTrunk } from "./leave-trunk.ts";
import type { Recipe, RecipeStage } from "./schema.ts";

export interface PlannedSource {
  corpus: string;
  /** Of the step's target tokens; null while it depends on sizes that are not known yet. */
  share: number | null;
  /** What decides a share that is not known yet. */
  sampling: Recipe["stages"][number]["mixture"]["sampling"]["sampling"];
  /** Of all new, or of all replayed corpora together. */
  kindShare: number;
  replayed: boolean;
}

export interface PlannedStage {
  name: string;
  position: number;
  /** Steps of the run before this stage. */
  startStep: number;
  steps: number;
  /** Of the stage as written, what its schedule and its shares are made for: more or less than `steps` where a branch leaves it. */
  fullSteps: number;
  tokensPerStep: number;
  gradientAccumulationSteps: number;
  tokens: number;
  sources: PlannedSource[];
  /** Measurements and checkpoints during the stage, the ones at its end included. */
  evaluations: number;
  checkpoints: number;
}

/** Where a branch leaves its trunk. */
export interface PlannedBranch {
  from: string;
  /** Of the run. */
  step: number;
  annealingSteps: number;
}

export interface Plan {
  variant: string;
  /** Null for a trunk. What comes before its step is the trunk's work. */
  branch: PlannedBranch | null;
  stages: PlannedStage[];
  totalSteps: number;
  totalTokens: number;
}

export function planOf(recipe: Recipe, { worldSize = 1 }: { worldSize?: number } = {}): Plan {
  const stages: PlannedStage[] = [];
  let startStep = 0;
  for (const [position, stage] of recipe.stages.entries()) {
    const planned = planStage(recipe, stage, position, startStep, worldSize);
    stages.push(planned);
    startStep += planned.steps;
  }
  const { branch, stages: cut } = recipe.branch === undefined ? { branch: null, stages } : leaveTrunk(recipe, recipe.branch, stages);
  const sum = (value: (stage: PlannedStage) => number) => cut.reduce((total, stage) => total + value(stage), 0);
  return { variant: recipe.variant, branch, stages: cut, totalSteps: sum(({ steps }) => steps), totalTokens: sum(({ tokens }) => tokens) };
}

function planStage(recipe: Recipe, stage: RecipeStage, position: number, startStep: number, worldSize: number): PlannedStage {
  const { train } = stage;
  const tokensPerPass = train.microBatchSize * train.sequenceLength * worldSize;
  const gradientAccumulationSteps =
    train.tokensPerStep === undefined ? (train.gradientAccumulationSteps ?? 1) : passes(train.tokensPerStep, tokensPerPass, position);
  const tokensPerStep = tokensPerPass * gradientAccumulationSteps;
  const steps = train.steps ?? Math.ceil(train.tokens! / tokensPerStep);
  const times = (every: number | "never") => (every === "never" ? 1 : Math.ceil(steps / every));
  return {
    name: stage.name,
    position,
    startStep,
    steps,
    fullSteps: steps,
    tokensPerStep,
    gradientAccumulationSteps,
    tokens: steps * tokensPerStep,
    sources: sourcesOf(stage.mixture),
    evaluations: measurements(recipe.evaluate, steps),
    checkpoints: times(recipe.checkpoints.everySteps),
  };
}

/** Steps at which a stage is measured, its last one included. */
function measurements({ everySteps, atSteps }: Recipe["evaluate"], steps: number): number {
  const regular = everySteps === "never" ? 1 : Math.ceil(steps / everySteps);
  return regular + atSteps.filter((step) => step < steps && !(everySteps !== "never" && step % everySteps === 0)).length;
}

function passes(tokensPerStep: number, tokensPerPass: number, position: number): number {
  const exact = tokensPerStep / tokensPerPass;
  if (Number.isInteger(exact) && exact > 0) return exact;
  const below = Math.max(1, Math.floor(exact)) * tokensPerPass;
  throw new FieldError("TOKENS_PER_STEP", {
    at: `stages[${position}].train.tokensPerStep`,
    expected: `a multiple of microBatchSize · sequenceLength · processes = ${tokensPerPass}`,
    received: tokensPerStep,
    todo: `write ${below} or ${below + tokensPerPass}`,
  });
}

/** New sources share 1 − f among them, replayed ones f. Whoever has no share of its own shares by size, known once the text is read. */
function sourcesOf({ sources, replay, sampling: { sampling } }: RecipeStage["mixture"]): PlannedSource[] {
  const replayShare = replay?.share ?? 0;
  return [
    ...sources.map(({ corpus, share }) => ({
      corpus,
      share: share !== null ? share * (1 - replayShare) : sources.length === 1 ? 1 - replayShare : null,
      sampling,
      kindShare: 1 - replayShare,
      replayed: false,
    })),
    ...(replay?.corpora ?? []).map((corpus, _, corpora) => ({
      corpus,
      share: corpora.length === 1 ? replayShare : null,
      sampling: "temperature" as const,
      kindShare: replayShare,
      replayed: true,
    })),
  ];
}
