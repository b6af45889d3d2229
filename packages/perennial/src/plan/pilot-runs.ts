/**
 * The runs behind a pilot. A pilot asks for the losses at several budgets at one domain share:
 *    on the way   constant rate: one run, measured at every budget
 *    branches     warmup–stable–decay: one trunk at the constant rate; where the decay of a budget would begin, a branch anneals
 *                 from the trunk's checkpoint, bit for bit as a run of that budget would have
 *    separate     other schedules depend on their length from the first step on: a run per budget
 *  steps trained: T · S_max + Σ D_b · Σ T_b, with T_b the steps of budget b, D_b those of its decay, S_b = T_b − D_b.
 */
import { isAbsolute, resolve } from "node:path";
import type { PilotSpec } from "../mixture/laws/index.ts";
import { planOf, type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { resolveSchedule, type ScheduleSpec } from "../train/schedule/index.ts";
import type { PlanFile } from "./schema.ts";

/** One call of the trainer. */
export interface PilotRun {
  /** Unique within the pilot, e.g. `trunk` or the steps of a budget. */
  readonly name: string;
  readonly steps: number;
  readonly schedule: ScheduleSpec;
  /** Measured on the way. */
  readonly atSteps: readonly number[];
  /** Begins at this step of the trunk; null: at the base model. */
  readonly branchAt: number | null;
}

export type Sharing = "on-the-way" | "branches" | "separate";

export interface PilotRuns {
  readonly sharing: Sharing;
  readonly runs: readonly PilotRun[];
  /** Steps that are really trained, over all runs. */
  readonly trainedSteps: number;
}

export function sharingOf(schedule: ScheduleSpec): Sharing {
  if (schedule.schedule === "constant") return "on-the-way";
  if (schedule.schedule !== "wsd" || typeof schedule.decayAt === "number") return "separate";
  return schedule.decayAt === "never" ? "on-the-way" : "branches";
}

export const tokensPerStepOf = (plan: PlanFile): number => {
  const [variant] = resolveRecipe(recipeOf(plan, { ratio: 0.5, steps: 1 })).variants;
  return planOf(variant).stages[0]!.tokensPerStep;
};

export function pilotRuns(plan: PlanFile, { checkpoints }: PilotSpec, tokensPerStep: number): PilotRuns {
  const budgets = checkpoints.map((tokens) => tokens / tokensPerStep);
  const longest = budgets.at(-1)!;
  const sharing = budgets.length === 1 ? "separate" : sharingOf(plan.train.schedule);
  const single = (steps: number): PilotRun => ({ name: String(steps), steps, schedule: plan.train.schedule, atSteps: [], branchAt: null });
  if (sharing === "separate") {
    const runs = budgets.map(single);
    return { sharing, runs, trainedSteps: budgets.reduce((sum, steps) => sum + steps, 0) };
  }
  const schedule = withWarmupOf(plan.train.schedule, longest);
  if (sharing === "on-the-way")
    return {
      sharing,
      runs: [{ name: "trunk", steps: longest, schedule, atSteps: budgets.slice(0, -1), branchAt: null }],
      trainedSteps: longest,
    };
  const branches = budgets.map((steps) => {
    const options = resolveSchedule(schedule, steps);
    const branchAt = (options as { decayAt: number }).decayAt;
    return { name: String(steps), steps, schedule: options as ScheduleSpec, atSteps: [], branchAt };
  });
  const trunkSteps = branches.at(-1)!.branchAt;
  const trunk: PilotRun = {
    name: "trunk",
    steps: trunkSteps,
    schedule: { ...resolveSchedule(schedule, longest), decayAt: "never" } as ScheduleSpec,
    atSteps: [...new Set(branches.map(({ branchAt }) => branchAt))].slice(0, -1),
    branchAt: null,
  };
  return {
    sharing,
    runs: [trunk, ...branches],
    trainedSteps: trunkSteps + branches.reduce((sum, { steps, branchAt }) => sum + steps - branchAt, 0),
  };
}

/** All budgets of a trunk warm up alike: over the steps that the longest one would take. */
function withWarmupOf(schedule: ScheduleSpec, steps: number): ScheduleSpec {
  const { warmupSteps } = resolveSchedule(schedule, steps) as { warmupSteps: number };
  const { warmupShare: _, ...rest } = schedule as ScheduleSpec & { warmupShare?: number };
  return { ...rest, warmupSteps } as ScheduleSpec;
}

export interface RecipeChoice {
  readonly ratio: number;
  readonly steps: number;
  readonly schedule?: ScheduleSpec;
  readonly atSteps?: readonly number[];
  readonly model?: string;
  readonly name?: string;
  readonly output?: string;
  /** Paths of the plan start from here; without it they stay as they are. */
  readonly baseFolder?: string;
}

/** The recipe of one run of the plan: two sources, `ratio` of the tokens from the domain. */
export function recipeOf(plan: PlanFile, choice: RecipeChoice): RecipeSpec {
  const { ratio, steps, schedule = plan.train.schedule, atSteps = [], model = plan.model, name = plan.name, baseFolder } = choice;
  const absolute = (path: string) => (baseFolder === undefined || isAbsolute(path) ? path : resolve(baseFolder, path));
  const corpus = ({ path, heldOut, ...rest }: PlanFile["corpora"]["domain"]) => ({
    ...rest,
    path: typeof path === "string" ? absolute(path) : path.map(absolute),
    heldOut: typeof heldOut === "object" && "path" in heldOut ? { path: absolute(heldOut.path) } : heldOut,
  });
  const { gradientAccumulationSteps, tokensPerStep, ...train } = plan.train;
  return {
    name,
    seed: plan.seed,
    model: absolute(model),
    corpora: { domain: corpus(plan.corpora.domain), general: corpus(plan.corpora.general) },
    stages: [
      {
        name: "mixture",
        mixture: {
          sources: [
            { corpus: "domain", share: ratio },
            { corpus: "general", share: 1 - ratio },
          ].filter(({ share }) => share > 0),
        },
        train: {
          ...train,
          ...(gradientAccumulationSteps === undefined ? {} : { gradientAccumulationSteps }),
          ...(tokensPerStep === undefined ? {} : { tokensPerStep }),
          schedule,
          steps,
        },
      },
    ],
    evaluate: {
      corpora: ["domain", "general"],
      everySteps: "never",
      atSteps: [...atSteps],
      maxTokensPerCorpus: plan.maxTokensPerCorpus,
      bootstrapResamples: 0,
    },
    checkpoints: { everySteps: "never", keepLast: 1 },
    ...(choice.output === undefined ? {} : { output: choice.output }),
  };
}
