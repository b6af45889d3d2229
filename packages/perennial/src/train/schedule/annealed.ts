/** A trunk's schedule with its end moved: what a branch follows that is to ship. */
import { FieldError } from "../../errors.ts";
import { annealFrom } from "./infinite.ts";
import { checkBeginning } from "./phases.ts";
import type { ScheduleOptions } from "./resolve.ts";

type Trunk = Extract<ScheduleOptions, { schedule: "infinite" | "wsd" }>;

/** The schedule of a trunk, if it has a constant rate that can be left. */
export function asTrunk(options: ScheduleOptions): Trunk {
  if (options.schedule === "infinite" || options.schedule === "wsd") return options;
  throw new FieldError("BRANCH_SCHEDULE", {
    at: "schedule",
    expected: "infinite or wsd: only they have a constant rate to leave",
    received: options.schedule,
  });
}

export const annealingStepsOf = (trunk: Trunk): number => (trunk.schedule === "infinite" ? trunk.annealingSteps : trunk.decaySteps);

/**
 * The schedule up to step N, then its annealing over A steps: of `infinite` the exponential one, of `wsd` its decay.
 * Up to N the rates are those of the trunk, to the bit. Errors: FieldError where the trunk is not at its constant rate at N.
 */
export function annealed(trunk: Trunk, step: number, annealingSteps = annealingStepsOf(trunk)): Trunk {
  const end = trunk.schedule === "infinite" ? trunk.annealAt : trunk.decayAt;
  if (end !== "never" && step > end)
    throw new FieldError("BRANCH_ANNEALED", {
      at: "schedule",
      expected: `a trunk at its constant rate until step ${step}; it is annealed from step ${end} on`,
      todo: `write ${trunk.schedule === "infinite" ? "annealAt" : "decayAt"}: never for a trunk that goes on`,
    });
  if (trunk.schedule === "infinite") return annealFrom(trunk, step, annealingSteps);
  return { ...trunk, decayAt: checkBeginning("decayAt", step, trunk.warmupSteps), decaySteps: annealingSteps };
}
