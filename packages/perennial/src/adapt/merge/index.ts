/** Model arithmetic: one model from several of the same shape. */
export { linear } from "./linear.ts";
export { checkMerge, loadMerge } from "./load.ts";
export { type MergeOptions, type MergeReport, mergeModels, planTensor } from "./merge-models.ts";
export { type Merge, type MergeSpec, mergeSchema } from "./schema.ts";
export { slerp } from "./slerp.ts";
export { type DareOptions, dare, type TaskVectors, taskArithmetic, ties } from "./task-vectors.ts";
export { materialize, type Values, valuesOf, working } from "./values.ts";
