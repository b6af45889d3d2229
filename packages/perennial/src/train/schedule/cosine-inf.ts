import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { curves, progress } from "./decay.ts";
import {
  checkAscending,
  checkExclusive,
  DEFAULT_WARMUP_SHARE,
  defaultMinLearningRate,
  maxLearningRate,
  minLearningRate,
  phaseShareField,
  phaseStepsField,
  type RewarmFrom,
  rewarmFrom,
  stepsOfPhase,
} from "./phases.ts";
import { defineSchedule } from "./schedule.ts";
import { startOfWarmup, warmUp } from "./warmup.ts";

const cosineInfSchema = z
  .strictObject({
    schedule: z.literal("cosine-inf"),
    maxLearningRate,
    minLearningRate,
    numCycles: z.int().min(1).optional().describe("cycles that the planned steps are divided into, one per dataset; this or cycleSteps"),
    cycleSteps: z.int().min(1).optional().describe("optimizer steps of a cycle; this or numCycles"),
    warmupSteps: phaseStepsField("linear warm-up of every cycle"),
    warmupShare: phaseShareField("linear warm-up of every cycle (0.01 when nothing is said)", "a cycle"),
    rewarmFrom: rewarmFrom.default("min"),
  })
  .superRefine(checkExclusive([["numCycles", "cycleSteps"], ["warmupSteps", "warmupShare"]])) // biome-ignore format: pairs
  .superRefine(checkAscending("minLearningRate", "maxLearningRate"))
  .superRefine(({ numCycles, cycleSteps }, context) => {
    if (numCycles === undefined && cycleSteps === undefined)
      context.addIssue({ code: "custom", path: ["numCycles"], message: "numCycles or cycleSteps" });
  });

export interface CosineInfOptions {
  readonly schedule: "cosine-inf";
  readonly maxLearningRate: number;
  readonly minLearningRate: number;
  readonly cycleSteps: number;
  readonly warmupSteps: number;
  readonly rewarmFrom: RewarmFrom;
}

/**
 * Cosine again and again: all datasets in one run of equal cycles, optimizer state kept. With m = n mod R:
 *   m < W   η = η₀ + (η_max − η₀) · m/W            η₀ = 0 in the first cycle, later η_min (or 0 if `rewarmFrom` is "zero")
 *   m ≥ W   η = η_min + (η_max − η_min)/2 · (1 + cos(π (m − W)/(R − W)))
 * n step · R cycleSteps · W warmupSteps: optimizer steps. η: learning rate, no unit. A number of cycles must divide the planned steps.
 * The share of the warm-up is one of the cycle, not of the run (our choice).
 * Source: arXiv 2403.08763, specification `simple-scalable-cpt`.
 */
export const cosineInf = defineSchedule(
  cosineInfSchema,
  (spec, totalSteps): CosineInfOptions => {
    const cycleSteps = spec.cycleSteps ?? totalSteps / spec.numCycles!;
    if (!Number.isInteger(cycleSteps))
      throw new FieldError("SCHEDULE_PHASES", {
        at: "schedule.numCycles",
        expected: `a divisor of the ${totalSteps} planned steps`,
        received: spec.numCycles,
        todo: "plan a multiple of it, or write cycleSteps",
      });
    const warmupSteps = stepsOfPhase(
      { steps: spec.warmupSteps, share: spec.warmupShare, otherwise: { share: DEFAULT_WARMUP_SHARE } },
      cycleSteps,
    );
    if (warmupSteps > cycleSteps)
      throw new FieldError("SCHEDULE_PHASES", {
        at: "schedule.warmupSteps",
        expected: `at most a cycle of ${cycleSteps} steps`,
        received: warmupSteps,
      });
    return {
      schedule: "cosine-inf",
      maxLearningRate: spec.maxLearningRate,
      minLearningRate: spec.minLearningRate ?? defaultMinLearningRate(spec.maxLearningRate),
      cycleSteps,
      warmupSteps,
      rewarmFrom: spec.rewarmFrom,
    };
  },
  ({ maxLearningRate, minLearningRate, cycleSteps, warmupSteps, rewarmFrom }) =>
    (step) => {
      const from = step < cycleSteps ? 0 : startOfWarmup(rewarmFrom, minLearningRate);
      return warmUp(step % cycleSteps, { warmupSteps, maxLearningRate, from }, (steps) =>
        curves.cosine(maxLearningRate, minLearningRate, progress(steps, cycleSteps - warmupSteps)),
      );
    },
);
