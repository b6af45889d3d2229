/** From what a person writes to full options, and from full options to the function. */
import { z } from "zod";
import { FieldError, nearest } from "../../errors.ts";
import { type ConstantOptions, constant } from "./constant.ts";
import { cosine } from "./cosine.ts";
import { type CosineInfOptions, cosineInf } from "./cosine-inf.ts";
import { type InfiniteOptions, infinite } from "./infinite.ts";
import { type InverseSqrtOptions, inverseSqrt } from "./inverse-sqrt.ts";
import { linear } from "./linear.ts";
import type { Schedule } from "./schedule.ts";
import type { WarmupDecayOptions } from "./warmup-decay.ts";
import { type WsdOptions, wsd } from "./wsd.ts";

export const scheduleMethods = {
  constant,
  linear,
  cosine,
  "cosine-inf": cosineInf,
  infinite,
  wsd,
  "inverse-sqrt": inverseSqrt,
} as const;

export const scheduleSchema = z.discriminatedUnion("schedule", [
  constant.schema,
  linear.schema,
  cosine.schema,
  cosineInf.schema,
  infinite.schema,
  wsd.schema,
  inverseSqrt.schema,
]);

/** What a person writes. */
export type ScheduleSpec = z.input<typeof scheduleSchema>;

/** What code reads and a checkpoint holds: nothing left to decide. */
export type ScheduleOptions =
  | ConstantOptions
  | WarmupDecayOptions<"linear">
  | WarmupDecayOptions<"cosine">
  | CosineInfOptions
  | InfiniteOptions
  | WsdOptions
  | InverseSqrtOptions;

/** A method seen without its name: the union of specs and options belongs together by `schedule`, which TypeScript cannot follow. */
interface AnyMethod {
  (options: ScheduleOptions): Schedule;
  resolve(spec: z.output<typeof scheduleSchema>, totalSteps: number): ScheduleOptions;
}

/** Full options of a schedule over `totalSteps` planned optimizer steps. Options resolved before come back unchanged. */
export function resolveSchedule(spec: ScheduleSpec, totalSteps: number): ScheduleOptions {
  if (!Number.isInteger(totalSteps) || totalSteps < 0)
    throw new FieldError("SCHEDULE_STEPS", { at: "totalSteps", expected: "a whole number of optimizer steps", received: totalSteps });
  const parsed = scheduleSchema.safeParse(spec);
  if (!parsed.success) throw fieldError(parsed.error.issues[0]!, spec);
  return (scheduleMethods[parsed.data.schedule] as AnyMethod).resolve(parsed.data, totalSteps);
}

export function toSchedule(options: ScheduleOptions): Schedule {
  return (scheduleMethods[options.schedule] as AnyMethod)(options);
}

function fieldError(issue: z.core.$ZodIssue, spec: ScheduleSpec): FieldError {
  const path = issue.path.join(".");
  const at = path === "" ? "schedule" : `schedule.${path}`;
  const received = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], spec);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(scheduleMethods[spec.schedule].schema.shape);
    const key = issue.keys[0]!;
    const near = nearest(key, known);
    const todo = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
    return new FieldError("SCHEDULE_FIELD", { at: `schedule.${key}`, expected: `a field of ${spec.schedule}`, todo });
  }
  if (path === "schedule")
    return new FieldError("SCHEDULE_FIELD", { at, expected: `one of ${Object.keys(scheduleMethods).join(", ")}`, received });
  const expected = issue.code === "custom" ? issue.message : issue.message.replace(/^.*?expected /, "");
  return new FieldError("SCHEDULE_FIELD", { at, expected, received });
}
