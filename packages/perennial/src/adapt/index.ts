/** Adaptations: which parameters move, and in which shape. */
export type { Adaptation, ParameterSet } from "./adaptation.ts";
export { full } from "./full.ts";
export { checkMerge, loadMerge, type Merge, type MergeSpec, mergeModels, mergeSchema, mergeTensors } from "./merge/index.ts";
export { type LoraAdapter, type LoraModule, loraDelta, mergeAdapter, mergeAdapterFolder, readAdapter, writeAdapter } from "./peft/index.ts";
