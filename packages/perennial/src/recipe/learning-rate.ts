/**
 * The learning rate of a whole run from the schedules of its stages. What a stage does at its start is named by `onStart.learningRate`:
 *   rewarm   its schedule from step 0, warm-up included
 *   reset    its schedule without warm-up: it begins at the maximum
 *   keep     the schedule of the stage before goes on, with its own count of steps
 * A step is the number of optimizer steps taken before, counted from 0 over the whole run.
 */
import { resolveSchedule, type Schedule, type ScheduleSpec, toSchedule } from "../train/schedule/index.ts";
import type { Plan } from "./plan.ts";
import type { Recipe } from "./schema.ts";

export function learningRateOf(recipe: Recipe, plan: Plan): Schedule {
  let current: Schedule = () => 0;
  const stages = plan.stages.map(({ startStep, steps, position }) => {
    const { train, onStart } = recipe.stages[position]!;
    if (onStart.learningRate !== "keep" || position === 0) {
      const spec = onStart.learningRate === "reset" && position > 0 ? withoutWarmup(train.schedule) : train.schedule;
      const schedule = toSchedule(resolveSchedule(spec, steps));
      current = (step) => schedule(step - startStep);
    }
    return { startStep, schedule: current };
  });
  return (step) => (stages.findLast(({ startStep }) => step >= startStep) ?? stages[0]!).schedule(step);
}

function withoutWarmup(schedule: ScheduleSpec): ScheduleSpec {
  const { warmupShare: _, ...rest } = schedule;
  return { ...rest, warmupSteps: 0 } as ScheduleSpec;
}
