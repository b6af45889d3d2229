import type { Schedule } from "./schedule.ts";

export interface SchedulePoint {
  readonly step: number;
  readonly learningRate: number;
}

/** At most `numPoints` (≥ 2) evenly spread points of a schedule from step 0 to `totalSteps`, both included: what a plot draws. */
export function samplePoints(schedule: Schedule, totalSteps: number, numPoints: number): SchedulePoint[] {
  const last = Math.min(totalSteps, numPoints - 1);
  return Array.from({ length: last + 1 }, (_, i) => {
    const step = last === 0 ? 0 : Math.round((i * totalSteps) / last);
    return { step, learningRate: schedule(step) };
  });
}
