import { z } from "zod";
import { curves, inverseSqrtCurve, progress } from "./decay.ts";
import {
  checkAscending,
  checkBeginning,
  checkExclusive,
  DEFAULT_WARMUP_SHARE,
  defaultMinLearningRate,
  maxLearningRate,
  phaseShareField,
  phaseStepsField,
  type RewarmFrom,
  restOfSteps,
  rewarmFrom,
  stepsOfLastPhase,
  stepsOfPhases,
  warmupFields,
} from "./phases.ts";
import { defineSchedule } from "./schedule.ts";
import { startOfWarmup, warmUp } from "./warmup.ts";

const DEFAULT_COOLDOWN_SHARE = 0.6;
const DEFAULT_ANNEALING_SHARE = 0.14;

const infiniteSchema = z
  .strictObject({
    schedule: z.literal("infinite"),
    maxLearningRate,
    constantLearningRate: z
      .number()
      .positive()
      .optional()
      .describe("learning rate while data keeps arriving; halfway between minimum and maximum when nothing is said"),
    minLearningRate: z.number().positive().optional().describe("learning rate at the end of the annealing; a tenth of the maximum when nothing is said"),
    ...warmupFields,
    cooldown: z.enum(["cosine", "inverse-sqrt", "linear"]).default("cosine").describe("curve from the maximum to the constant rate"),
    inverseSqrtAlpha: z.number().positive().default(10).describe("how bent the inverse-sqrt cool-down is; the other curves ignore it"),
    cooldownSteps: phaseStepsField("cool-down"),
    cooldownShare: phaseShareField("cool-down (0.6 when nothing is said)"),
    annealAt: z
      .union([z.int().min(0), z.literal("never")])
      .optional()
      .describe("step after which the rate is annealed, never: the trunk; so that annealing ends with the stage when nothing is said"),
    annealingSteps: phaseStepsField("annealing"),
    annealingShare: phaseShareField("annealing (0.14 when nothing is said)"),
    rewarmFrom: rewarmFrom.default("zero"),
  })
  .superRefine(checkExclusive([["warmupSteps", "warmupShare"], ["cooldownSteps", "cooldownShare"], ["annealingSteps", "annealingShare"]])) // biome-ignore format: pairs
  .superRefine(checkAscending("minLearningRate", "constantLearningRate", "maxLearningRate"));

export interface InfiniteOptions {
  readonly schedule: "infinite";
  readonly maxLearningRate: number;
  readonly constantLearningRate: number;
  readonly minLearningRate: number;
  readonly warmupSteps: number;
  readonly cooldown: "cosine" | "inverse-sqrt" | "linear";
  readonly inverseSqrtAlpha: number;
  readonly cooldownSteps: number;
  readonly annealAt: number | "never";
  readonly annealingSteps: number;
  readonly rewarmFrom: RewarmFrom;
}

/**
 * Infinite schedule: warm up, cool down, stay constant while data keeps arriving; anneal only on a branch that ships.
 *   n < W         η = η₀ + (η_max − η₀) · n/W
 *   n ≤ W + C     η = cooldown(η_max, η_c, (n − W)/C)          cosine, inverse-sqrt (α) or linear: `decay.ts`
 *   n ≤ N         η = η_c
 *   n > N         η = η_c · (η_min/η_c)^(min(n − N, A)/A)
 * n step · W warmupSteps · C cooldownSteps · N annealAt · A annealingSteps: optimizer steps, lengths except N. η: learning rate, no unit.
 * Steps up to N do not depend on N or A: the trunk goes on from the checkpoint before annealing as if no branch had been taken.
 * State: none.  Errors: FieldError unless 0 < η_min ≤ η_c ≤ η_max and W + C ≤ N.
 * Source: arXiv 2403.08763 and 2503.02844; where paper and code differ: specifications `simple-scalable-cpt`, `infinite-lr`.
 */
export const infinite = defineSchedule(
  infiniteSchema,
  (spec, totalSteps): InfiniteOptions => {
    const { maxLearningRate, cooldown, inverseSqrtAlpha, rewarmFrom } = spec;
    const minLearningRate =
      spec.minLearningRate ?? Math.min(defaultMinLearningRate(maxLearningRate), spec.constantLearningRate ?? maxLearningRate);
    const [warmupSteps, cooldownSteps] = stepsOfPhases(
      [
        { steps: spec.warmupSteps, share: spec.warmupShare, otherwise: { share: DEFAULT_WARMUP_SHARE } },
        { steps: spec.cooldownSteps, share: spec.cooldownShare, otherwise: { share: DEFAULT_COOLDOWN_SHARE } },
      ],
      totalSteps,
    ) as [number, number];
    const annealing = { steps: spec.annealingSteps, share: spec.annealingShare, otherwise: { share: DEFAULT_ANNEALING_SHARE } };
    const annealingSteps = stepsOfLastPhase(annealing, totalSteps);
    const annealAt = spec.annealAt ?? restOfSteps(totalSteps, { annealingSteps });
    return {
      schedule: "infinite",
      maxLearningRate,
      constantLearningRate: spec.constantLearningRate ?? (maxLearningRate + minLearningRate) / 2,
      minLearningRate,
      warmupSteps,
      cooldown,
      inverseSqrtAlpha,
      cooldownSteps,
      annealAt: checkBeginning("annealAt", annealAt, warmupSteps + cooldownSteps),
      annealingSteps,
      rewarmFrom,
    };
  },
  (options) => {
    const { maxLearningRate, constantLearningRate, minLearningRate, warmupSteps, cooldownSteps, annealingSteps, rewarmFrom } = options;
    const annealAt = options.annealAt === "never" ? Number.POSITIVE_INFINITY : options.annealAt;
    const warmup = { warmupSteps, maxLearningRate, from: startOfWarmup(rewarmFrom, minLearningRate) };
    const cooldown = options.cooldown === "inverse-sqrt" ? inverseSqrtCurve(options.inverseSqrtAlpha) : curves[options.cooldown];
    return (step) => {
      if (step > annealAt) return curves.exponential(constantLearningRate, minLearningRate, progress(step - annealAt, annealingSteps));
      return warmUp(step, warmup, (steps) => cooldown(maxLearningRate, constantLearningRate, progress(steps, cooldownSteps)));
    };
  },
);

/** The branch that ships: the trunk up to `step`, annealed over `annealingSteps` from there. */
export function annealFrom(trunk: InfiniteOptions, step: number, annealingSteps = trunk.annealingSteps): InfiniteOptions {
  return { ...trunk, annealAt: checkBeginning("annealAt", step, trunk.warmupSteps + trunk.cooldownSteps), annealingSteps };
}
