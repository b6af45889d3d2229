import { z } from "zod";
import { checkExclusive, DEFAULT_WARMUP_SHARE, maxLearningRate, stepsOfPhase, warmupFields } from "./phases.ts";
import { defineSchedule } from "./schedule.ts";
import { warmUp } from "./warmup.ts";

const constantSchema = z
  .strictObject({ schedule: z.literal("constant"), maxLearningRate, ...warmupFields })
  .superRefine(checkExclusive([["warmupSteps", "warmupShare"]]));

export interface ConstantOptions {
  readonly schedule: "constant";
  readonly maxLearningRate: number;
  readonly warmupSteps: number;
}

/**
 * Linear warm-up from zero, then constant:  n < W   η = η_max · n/W        n ≥ W   η = η_max
 * n step · W warmupSteps: optimizer steps. η: learning rate, no unit.
 */
export const constant = defineSchedule(
  constantSchema,
  ({ maxLearningRate, warmupSteps, warmupShare }, totalSteps): ConstantOptions => ({
    schedule: "constant",
    maxLearningRate,
    warmupSteps: stepsOfPhase({ steps: warmupSteps, share: warmupShare, otherwise: { share: DEFAULT_WARMUP_SHARE } }, totalSteps),
  }),
  ({ maxLearningRate, warmupSteps }) =>
    (step) =>
      warmUp(step, { warmupSteps, maxLearningRate, from: 0 }, () => maxLearningRate),
);
