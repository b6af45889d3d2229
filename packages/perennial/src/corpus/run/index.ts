export { dataCard } from "./card.ts";
export type { Funnel, StepCounts } from "./counts.ts";
export { corpusDemo, type DemoOptions, type DemoTexts, type StepQuality } from "./demo.ts";
export { articlesOf, messagesOf } from "./demo-texts.ts";
export { type DropLine, type DropReason, dropLine } from "./drops.ts";
export { type FilterStep, filterStepSchema } from "./filter-steps.ts";
export { type CorpusForecast, type ForecastOptions, forecastCorpus } from "./forecast.ts";
export { readThresholds } from "./given-thresholds.ts";
export { countDrops, type DropCount, type DropQuery, inspectDrops } from "./inspect.ts";
export { corpusJsonSchema, corpusReference } from "./json-schema.ts";
export { type LoadedCorpusRecipe, loadCorpusRecipe, parseCorpusRecipe, parseFilters } from "./load-recipe.ts";
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
export { type ReferenceOptions, readReference } from "./references-phase.ts";
export { changeThresholds, type ReplayChange, type ReplayCounts, replayRun } from "./replay.ts";
export { type RunOptions, runCorpus, runCorpusStage, type Share } from "./run.ts";
export { findShards, type Shard } from "./shards.ts";
export { filterSteps, readSteps, type StepListener } from "./single-steps.ts";
export { type CorpusStage, corpusStages, type StageOptions, taskIndexOf } from "./stages.ts";
export { runCorpusTask } from "./tasks.ts";
export { type ChosenThresholds, readChosen } from "./thresholds-phase.ts";
