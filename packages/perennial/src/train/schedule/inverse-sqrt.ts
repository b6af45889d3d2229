import { z } from "zod";
import { checkExclusive, DEFAULT_WARMUP_SHARE, maxLearningRate, stepsOfPhase, warmupFields } from "./phases.ts";
import { defineSchedule } from "./schedule.ts";
import { warmUp } from "./warmup.ts";

const inverseSqrtSchema = z
  .strictObject({ schedule: z.literal("inverse-sqrt"), maxLearningRate, ...warmupFields })
  .superRefine(checkExclusive([["warmupSteps", "warmupShare"]]));

export interface InverseSqrtOptions {
  readonly schedule: "inverse-sqrt";
  readonly maxLearningRate: number;
  /** At least 1: the decay is measured in warm-ups. */
  readonly warmupSteps: number;
}

/**
 * Linear warm-up from zero, then decay with the inverse square root of the step, without end (Vaswani et al. 2017; fairseq):
 *   n < W   η = η_max · n/W        n ≥ W   η = η_max · √(W/n)
 * n step · W warmupSteps: optimizer steps. η: learning rate, no unit.
 */
export const inverseSqrt = defineSchedule(
  inverseSqrtSchema,
  ({ maxLearningRate, warmupSteps, warmupShare }, totalSteps): InverseSqrtOptions => {
    const steps = stepsOfPhase({ steps: warmupSteps, share: warmupShare, otherwise: { share: DEFAULT_WARMUP_SHARE } }, totalSteps);
    return { schedule: "inverse-sqrt", maxLearningRate, warmupSteps: Math.max(1, steps) };
  },
  ({ maxLearningRate, warmupSteps }) =>
    (step) =>
      warmUp(step, { warmupSteps, maxLearningRate, from: 0 }, () => maxLearningRate * Math.sqrt(warmupSteps / step)),
);
