export { dataCard } from "./card.ts";
export type { Funnel, StepCounts } from "./counts.ts";
export { corpusDemo, type DemoOptions, type DemoTexts, type StepQuality } from "./demo.ts";
export { articlesOf, messagesOf } from "./demo-texts.ts";
export type { DropLine, DropReason } from "./drops.ts";
export { type FilterStep, filterStepSchema } from "./filter-steps.ts";
export { corpusJsonSchema, corpusReference } from "./json-schema.ts";
export { type LoadedCorpusRecipe, loadCorpusRecipe, parseCorpusRecipe } from "./load-recipe.ts";
export type { CorpusManifest, LanguageTotals } from "./manifest.ts";
export { type Measured, readMeasured, STATISTIC_NAMES, unpackStatistics } from "./measured.ts";
export {
  type CorpusPlan,
  type CorpusTask,
  isDone,
  type OpenOptions,
  openCorpus,
  PHASES,
  type Phase,
  places,
  planCorpus,
  readPlan,
  tasksOf,
} from "./plan.ts";
export { type CorpusRecipe, type CorpusRecipeInput, corpusSchema } from "./recipe.ts";
export { type RunOptions, runCorpus, runCorpusStage, type Share } from "./run.ts";
export { findShards, type Shard } from "./shards.ts";
export { type CorpusStage, corpusStages, type StageOptions, taskIndexOf } from "./stages.ts";
export { runCorpusTask } from "./tasks.ts";
export { type ChosenThresholds, readChosen } from "./thresholds-phase.ts";
