/** Adaptations: which parameters move, and in which shape. */
export type { Adaptation, MovingParts, ParameterSet } from "./adaptation.ts";
export { type EmbeddingInitializer, type InitializerInput, initializers, type ResizeOptions, resizeModel } from "./embeddings/index.ts";
export { full } from "./full.ts";
export {
  checkMerge,
  loadMerge,
  type Merge,
  type MergeOptions,
  type MergeReport,
  type MergeSpec,
  mergeModels,
  mergeSchema,
} from "./merge/index.ts";
export { type NewRowsOptions, newRows } from "./new-rows.ts";
export {
  type FolderOptions,
  type FolderReport,
  type LoraAdapter,
  type LoraModule,
  loraDelta,
  mergeAdapter,
  mergeAdapterFolder,
  readAdapter,
  unmergeAdapterFolder,
  writeAdapter,
} from "./peft/index.ts";
