/** Objectives: a batch → a loss. */
export { type BatchTensors, batchTensors } from "./batch-tensors.ts";
export { type CausalOptions, causal } from "./causal.ts";
export type { Objective, ObjectiveResult } from "./objective.ts";
