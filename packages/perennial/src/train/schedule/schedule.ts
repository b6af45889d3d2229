import type { z } from "zod";

/**
 * How fast at this step? The learning rate (no unit) as a pure function of `step`, the number of optimizer steps taken before this one,
 * counted from 0. A schedule has no state: a resumed run needs its options and the step, nothing else. A warm-up from zero gives 0 at
 * step 0, as the implementations behind the papers do.
 */
export type Schedule = (step: number) => number;

/** A schedule as a method: called with full options it gives the function; its schema and `resolve` lead from what a person writes to those. */
export interface ScheduleMethod<Schema extends z.ZodType, Options> {
  (options: Options): Schedule;
  readonly schema: Schema;
  /**
   * Fills in what was not said: every phase in steps, every rate a number. The result is plain JSON, is saved with the run (a resumed run
   * must not meet another curve because a flag changed) and is itself a valid spec: resolving it again, with any totalSteps, changes nothing.
   */
  readonly resolve: (spec: z.output<Schema>, totalSteps: number) => Options;
}

export function defineSchedule<Schema extends z.ZodType, Options>(
  schema: Schema,
  resolve: (spec: z.output<Schema>, totalSteps: number) => Options,
  schedule: (options: Options) => Schedule,
): ScheduleMethod<Schema, Options> {
  return Object.assign((options: Options) => schedule(options), { schema, resolve });
}
