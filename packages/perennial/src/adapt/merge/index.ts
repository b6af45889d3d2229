/** Model arithmetic: one model from several of the same shape. */
export { linear } from "./linear.ts";
export { checkMerge, loadMerge } from "./load.ts";
export { mergeModels, mergeTensors } from "./merge-models.ts";
export { rewriteWeights } from "./rewrite.ts";
export { type Merge, type MergeSpec, mergeSchema } from "./schema.ts";
export { slerp } from "./slerp.ts";
export { dare, type TaskVectors, taskArithmetic, ties } from "./task-arithmetic.ts";
