import { z } from "zod";
import { curves, type DecayShape, decayShapes, progress } from "./decay.ts";
import {
  checkAscending,
  checkBeginning,
  checkExclusive,
  DEFAULT_WARMUP_SHARE,
  defaultMinLearningRate,
  maxLearningRate,
  minLearningRate,
  phaseShareField,
  phaseStepsField,
  type RewarmFrom,
  restOfSteps,
  rewarmFrom,
  stepsOfLastPhase,
  stepsOfPhase,
  warmupFields,
} from "./phases.ts";
import { defineSchedule } from "./schedule.ts";
import { startOfWarmup, warmUp } from "./warmup.ts";

const DEFAULT_DECAY_SHARE = 0.1;

const wsdSchema = z
  .strictObject({
    schedule: z.literal("wsd"),
    maxLearningRate,
    minLearningRate,
    ...warmupFields,
    decay: z.enum(decayShapes).default("1-sqrt").describe("curve from the maximum to the minimum"),
    decayAt: z
      .union([z.int().min(0), z.literal("never")])
      .optional()
      .describe("step at which the decay begins, never: stay at the maximum; so that it ends with the stage when nothing is said"),
    decaySteps: phaseStepsField("decay"),
    decayShare: phaseShareField("decay (0.1 when nothing is said)"),
    rewarmFrom: rewarmFrom.default("zero"),
  })
  .superRefine(checkExclusive([["warmupSteps", "warmupShare"], ["decaySteps", "decayShare"]])) // biome-ignore format: pairs
  .superRefine(checkAscending("minLearningRate", "maxLearningRate"))
  .superRefine(({ decay, minLearningRate }, context) => {
    if (decay === "exponential" && minLearningRate === 0)
      context.addIssue({ code: "custom", path: ["minLearningRate"], message: "more than 0, which an exponential decay never reaches" });
  });

export interface WsdOptions {
  readonly schedule: "wsd";
  readonly maxLearningRate: number;
  readonly minLearningRate: number;
  readonly warmupSteps: number;
  readonly decay: DecayShape;
  readonly decayAt: number | "never";
  readonly decaySteps: number;
  readonly rewarmFrom: RewarmFrom;
}

/**
 * Warmup–stable–decay (MiniCPM, Hu et al. 2024; 1-sqrt: Hägele et al. 2024): the maximum for as long as wanted, a short decay at the end.
 *   n < W       η = η₀ + (η_max − η₀) · n/W
 *   n ≤ S       η = η_max
 *   n > S       η = curve(η_max, η_min, min(n − S, D)/D)        linear, cosine, exponential or 1-sqrt: `decay.ts`
 * n step · W warmupSteps · S decayAt · D decaySteps: optimizer steps, lengths except S. η: learning rate, no unit.
 * Errors: FieldError unless 0 ≤ η_min ≤ η_max and W ≤ S.
 */
export const wsd = defineSchedule(
  wsdSchema,
  (spec, totalSteps): WsdOptions => {
    const warmup = { steps: spec.warmupSteps, share: spec.warmupShare, otherwise: { share: DEFAULT_WARMUP_SHARE } };
    const warmupSteps = stepsOfPhase(warmup, totalSteps);
    const decaySteps = stepsOfLastPhase(
      { steps: spec.decaySteps, share: spec.decayShare, otherwise: { share: DEFAULT_DECAY_SHARE } },
      totalSteps,
    );
    const decayAt = spec.decayAt ?? restOfSteps(totalSteps, { decaySteps });
    return {
      schedule: "wsd",
      maxLearningRate: spec.maxLearningRate,
      minLearningRate: spec.minLearningRate ?? defaultMinLearningRate(spec.maxLearningRate),
      warmupSteps,
      decay: spec.decay,
      decayAt: checkBeginning("decayAt", decayAt, warmupSteps),
      decaySteps,
      rewarmFrom: spec.rewarmFrom,
    };
  },
  (options) => {
    const { maxLearningRate, minLearningRate, warmupSteps, decaySteps, rewarmFrom } = options;
    const decayAt = options.decayAt === "never" ? Number.POSITIVE_INFINITY : options.decayAt;
    const warmup = { warmupSteps, maxLearningRate, from: startOfWarmup(rewarmFrom, minLearningRate) };
    return (step) => {
      if (step > decayAt) return curves[options.decay](maxLearningRate, minLearningRate, progress(step - decayAt, decaySteps));
      return warmUp(step, warmup, () => maxLearningRate);
    };
  },
);
