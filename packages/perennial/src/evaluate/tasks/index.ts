/** Benchmark tasks in the format of lm-evaluation-harness, over local data. */
export { type Aggregation, type AggregationName, aggregate, aggregations, DEFAULT_RESAMPLES, type ItemValue } from "./aggregation.ts";
export { type CompareOptions, compareTasks, type TaskComparison } from "./compare.ts";
export { OUTPUT_TYPES, type OutputType, type TaskConfig, taskConfig } from "./config.ts";
export { type EvaluateTasksOptions, evaluateTasks, type TasksResult } from "./evaluate-tasks.ts";
export type { GroupResult, GroupScore } from "./groups.ts";
export type { TaskItem } from "./items.ts";
export { resultsJson, samplesJson, writeResults } from "./results.ts";
export { type RunTaskOptions, runTask, type TaskResult, type TaskScore } from "./run-task.ts";
export { type ContinuationScore, DEFAULT_BATCH_SIZE, type ScoreOptions, type ScoreRequest, scoreContinuations } from "./score.ts";
export { type Selection, type TaskGroup, TaskIndex } from "./task-index.ts";
export { TaskModel } from "./task-model.ts";
export { readTaskYaml, type TaskYaml } from "./yaml-file.ts";
