/** Running a recipe: data, stages, measurements, checkpoints, store. */
export { type PreparedCorpus, prepareCorpora } from "./corpora.ts";
export type { Listener, RunEventMessage } from "./events.ts";
export { type RunOptions, type RunSummary, runRecipe } from "./run-recipe.ts";
export type { VariantResult } from "./run-variant.ts";
