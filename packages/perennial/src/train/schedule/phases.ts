/** What the schedules share: fields for learning rates and for phases that are written in steps or as shares, and how shares become steps. */
import { z } from "zod";
import { FieldError } from "../../errors.ts";

export const maxLearningRate = z.number().positive().describe("learning rate at the end of the warm-up");

export const minLearningRate = z
  .number()
  .min(0)
  .optional()
  .describe("learning rate at the end of the decay; a tenth of the maximum when nothing is said");

/** The field's usual floor. */
export const defaultMinLearningRate = (maximum: number) => maximum / 10;

export const phaseStepsField = (phase: string) => z.int().min(0).optional().describe(`${phase}, in optimizer steps; this or the share`);

export const phaseShareField = (phase: string, ofWhat = "the stage's steps") =>
  z.number().min(0).max(1).optional().describe(`${phase}, as a share of ${ofWhat}; this or the steps`);

export const warmupFields = {
  warmupSteps: phaseStepsField("linear warm-up"),
  warmupShare: phaseShareField("linear warm-up (0.01 when nothing is said)"),
};

export const DEFAULT_WARMUP_SHARE = 0.01;

export const rewarmFrom = z.enum(["zero", "min"]).describe("where a warm-up begins: at zero, or at minLearningRate as within one run");
export type RewarmFrom = z.output<typeof rewarmFrom>;

/** Issues for pairs of fields of which at most one may be given. */
export function checkExclusive<Spec extends object>(pairs: readonly (readonly [keyof Spec & string, keyof Spec & string])[]) {
  return (spec: Spec, context: z.RefinementCtx<Spec>): void => {
    for (const [first, second] of pairs)
      if (spec[first] !== undefined && spec[second] !== undefined)
        context.addIssue({ code: "custom", path: [second], message: `${first} or ${second}, not both` });
  };
}

/** Issues unless the given ones of these rates ascend. */
export function checkAscending<Spec extends object>(...fields: readonly (keyof Spec & string)[]) {
  return (spec: Spec, context: z.RefinementCtx<Spec>): void => {
    const given = fields.filter((field) => spec[field] !== undefined);
    for (const [k, field] of given.entries()) {
      const lower = given[k - 1];
      if (lower !== undefined && spec[lower] > spec[field])
        context.addIssue({ code: "custom", path: [lower], message: `at most ${field}, which is ${String(spec[field])}` });
    }
  };
}

/** A phase's length as it was written; a missing one takes `otherwise`. */
export interface PhaseLength {
  readonly steps: number | undefined;
  readonly share: number | undefined;
  readonly otherwise?: { readonly share: number };
}

/**
 * Lengths in steps of phases that follow one another. Shares are rounded at the phases' ends, not one by one, so that shares that add up to
 * 1 fill `totalSteps` exactly.
 */
export function stepsOfPhases(phases: readonly PhaseLength[], totalSteps: number): number[] {
  let exactEnd = 0;
  let end = 0;
  return phases.map(({ steps, share, otherwise }) => {
    exactEnd += steps ?? (share ?? otherwise?.share ?? 0) * totalSteps;
    const length = Math.round(exactEnd) - end;
    end += length;
    return length;
  });
}

export function stepsOfPhase(phase: PhaseLength, totalSteps: number): number {
  return stepsOfPhases([phase], totalSteps)[0]!;
}

/** The same for a phase that ends with the stage: its share is rounded at its beginning. */
export function stepsOfLastPhase({ steps, share, otherwise }: PhaseLength, totalSteps: number): number {
  return steps ?? totalSteps - Math.round(totalSteps * (1 - (share ?? otherwise?.share ?? 0)));
}

/** The step at which a last phase begins, if it may begin there: not before the phases in front of it are over. */
export function checkBeginning(field: string, step: number | "never", earliest: number): number | "never" {
  if (step === "never" || step >= earliest) return step;
  throw new FieldError("SCHEDULE_PHASES", {
    at: `schedule.${field}`,
    expected: `a step from ${earliest} on, where the phases before it end`,
    received: step,
    todo: "shorten a phase or plan more steps",
  });
}

/** What the phases before leave of `totalSteps`; throws if they need more. */
export function restOfSteps(totalSteps: number, taken: Readonly<Record<string, number>>): number {
  const rest = totalSteps - Object.values(taken).reduce((sum, steps) => sum + steps, 0);
  if (rest >= 0) return rest;
  throw new FieldError("SCHEDULE_PHASES", {
    at: "schedule",
    expected: `phases of at most ${totalSteps} steps, all that are planned`,
    received: taken,
    todo: "shorten a phase or plan more steps",
  });
}
