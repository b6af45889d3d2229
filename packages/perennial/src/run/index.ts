/** Running a recipe: data, stages, measurements, checkpoints, store. And the single steps, for one model at a time. */

export { type OpenWorld, openWorld } from "../train/data-parallel.ts";
export { type PreparedCorpus, prepareCorpora } from "./corpora.ts";
export { type CorpusSize, corpusSizes } from "./corpus-sizes.ts";
export type { Listener, RunEventMessage } from "./events.ts";
export { evaluateFiles, exportGguf, exportModel, inspectTokenizer, type OpenedModel, openModel, readTexts } from "./model-tools.ts";
export { type RunOptions, type RunSummary, runRecipe } from "./run-recipe.ts";
export type { VariantResult } from "./run-variant.ts";
