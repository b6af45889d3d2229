/** Training: the launcher of its processes, what methods plug into the loop, and the hardware it runs on. */
export { type Chosen, chooseAutocastDtype, chooseDevice, measurePeakFlops, memoryOf } from "./hardware.ts";
export { describeFailure, type LaunchOptions, type LaunchResult, launch } from "./launch.ts";
export type { AfterStep, LoopParts, LoopSettings, StepReport } from "./loop.ts";
export type { MeasurementView, Rule, StepView, Verdict } from "./rule.ts";
export type { GradientSum, World } from "./world.ts";
