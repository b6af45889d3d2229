/**
 * What `cosine` and `linear` share: warm up, decay once along a curve, stay at the minimum.
 *   n < W   η = η₀ + (η_max − η₀) · n/W        n ≥ W   η = curve(η_max, η_min, (n − W)/D)        n ≥ W + D   η = η_min
 */
import { z } from "zod";
import { type Curve, curves, progress } from "./decay.ts";
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
  restOfSteps,
  rewarmFrom,
  stepsOfPhases,
  warmupFields,
} from "./phases.ts";
import { defineSchedule } from "./schedule.ts";
import { startOfWarmup, warmUp } from "./warmup.ts";

export interface WarmupDecayOptions<Name extends string> {
  readonly schedule: Name;
  readonly maxLearningRate: number;
  readonly minLearningRate: number;
  readonly warmupSteps: number;
  readonly decaySteps: number;
  readonly rewarmFrom: RewarmFrom;
}

export function defineWarmupDecay<const Name extends "cosine" | "linear">(name: Name) {
  const curve: Curve = curves[name];
  const schema = z
    .strictObject({
      schedule: z.literal(name),
      maxLearningRate,
      minLearningRate,
      ...warmupFields,
      decaySteps: phaseStepsField("decay (all that follow the warm-up when nothing is said)"),
      decayShare: phaseShareField("decay"),
      rewarmFrom: rewarmFrom.default("zero"),
    })
    .superRefine(checkExclusive([["warmupSteps", "warmupShare"], ["decaySteps", "decayShare"]])) // biome-ignore format: pairs
    .superRefine(checkAscending("minLearningRate", "maxLearningRate"));

  return defineSchedule(
    schema,
    (spec, totalSteps): WarmupDecayOptions<Name> => {
      const warmup = { steps: spec.warmupSteps, share: spec.warmupShare, otherwise: { share: DEFAULT_WARMUP_SHARE } };
      const [warmupSteps, decaySteps] = stepsOfPhases([warmup, { steps: spec.decaySteps, share: spec.decayShare }], totalSteps) as [
        number,
        number,
      ];
      const decayIsGiven = spec.decaySteps !== undefined || spec.decayShare !== undefined;
      return {
        schedule: name,
        maxLearningRate: spec.maxLearningRate,
        minLearningRate: spec.minLearningRate ?? defaultMinLearningRate(spec.maxLearningRate),
        warmupSteps,
        decaySteps: decayIsGiven ? decaySteps : restOfSteps(totalSteps, { warmupSteps }),
        rewarmFrom: spec.rewarmFrom,
      };
    },
    ({ maxLearningRate, minLearningRate, warmupSteps, decaySteps, rewarmFrom }) => {
      const warmup = { warmupSteps, maxLearningRate, from: startOfWarmup(rewarmFrom, minLearningRate) };
      return (step) => warmUp(step, warmup, (steps) => curve(maxLearningRate, minLearningRate, progress(steps, decaySteps)));
    },
  );
}
