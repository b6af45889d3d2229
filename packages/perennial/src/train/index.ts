/** Training: the launcher of its processes, and what methods plug into the loop. */
export { describeFailure, type LaunchOptions, type LaunchResult, launch } from "./launch.ts";
export type { AfterStep, LoopParts, LoopSettings, StepReport } from "./loop.ts";
export type { MeasurementView, Rule, StepView, Verdict } from "./rule.ts";
export type { GradientSum, World } from "./world.ts";
