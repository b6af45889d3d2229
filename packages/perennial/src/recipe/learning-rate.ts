/**
 * The learning rate of a whole run from the schedules of its stages. What a stage does at its start is named by `onStart.learningRate`:
 *   rewarm   its schedule from step 0, warm-up included
 *   reset    its schedule without warm-up: it begins at the maximum
 *   keep     the schedule of the stage before goes on, with its own count of steps
 * A step is the number of optimizer steps taken before, counted from 0 over the whole run.
 */
import { annealed, asTrunk, resolveSchedule, type Schedule, type ScheduleSpec, toSchedule } from "../train/schedule/index.ts";
import type { Plan } from "./plan.ts";
import type { Recipe } from "./schema.ts";

export function learningRateOf(recipe: Recipe, plan: Plan): Schedule {
  let current: Schedule = () => 0;
  const stages = plan.stages.map(({ startStep, fullSteps, position }, i) => {
    if (!keepsRate(recipe, position)) {
      const options = resolveSchedule(stageSchedule(recipe, position), fullSteps);
      // A branch leaves the schedule that is in force at its end.
      const leaves = plan.branch !== null && plan.stages.slice(i + 1).every(({ position }) => keepsRate(recipe, position));
      const schedule = toSchedule(
        leaves ? annealed(asTrunk(options), plan.branch!.step - startStep, plan.branch!.annealingSteps) : options,
      );
      current = (step) => schedule(step - startStep);
    }
    return { startStep, schedule: current };
  });
  return (step) => (stages.findLast(({ startStep }) => step >= startStep) ?? stages[0]!).schedule(step);
}

/** Whether the schedule of the stage before goes on. */
export const keepsRate = ({ stages }: Recipe, position: number): boolean =>
  position > 0 && stages[position]!.onStart.learningRate === "keep";

export function stageSchedule({ stages }: Recipe, position: number): ScheduleSpec {
  const { train, onStart } = stages[position]!;
  return onStart.learningRate === "reset" && position > 0 ? withoutWarmup(train.schedule) : train.schedule;
}

function withoutWarmup(schedule: ScheduleSpec): ScheduleSpec {
  const { warmupShare: _, ...rest } = schedule;
  return { ...rest, warmupSteps: 0 } as ScheduleSpec;
}
