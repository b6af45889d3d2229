export type { Funnel, StepCounts } from "./counts.ts";
export { corpusDemo, type DemoOptions, type StepQuality } from "./demo.ts";
export { type CorpusManifest, dataCard } from "./manifest.ts";
export { type CorpusPlan, type CorpusTask, isDone, openCorpus, PHASES, type Phase, places, readPlan, tasksOf } from "./plan.ts";
export { type CorpusRecipe, type CorpusRecipeInput, corpusSchema } from "./recipe.ts";
export { type RunOptions, runCorpus } from "./run.ts";
export { findShards, type Shard } from "./shards.ts";
export { runCorpusTask } from "./tasks.ts";
