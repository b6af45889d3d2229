/** One task on one model: requests, answers, scores of items, score of the task. */
import { FieldError } from "../../errors.ts";
import { type Aggregated, type AggregationName, aggregate, DEFAULT_RESAMPLES } from "./aggregation.ts";
import type { TaskConfig } from "./config.ts";
import { readSplit } from "./data.ts";
import { documentReader } from "./document.ts";
import { contextBuilder } from "./fewshot.ts";
import { filterOf } from "./filters.ts";
import { itemValues, type NamedFilter, type TaskItem, taskItems } from "./items.ts";
import { type Metric, metricsOf } from "./metrics.ts";
import type { PromptStyle } from "./prompt-style.ts";
import type { TaskModel } from "./task-model.ts";

export interface RunTaskOptions {
  readonly batchSize?: number;
  /** Instead of the task's own number of examples. A task that says 0 keeps it, as in the harness. */
  readonly numFewshot?: number;
  /** The first so many documents only. */
  readonly limit?: number;
  /** Of the few-shot examples. Default 1234, the harness'. */
  readonly fewshotSeed?: number;
  /** How prompts are written. Default: plain text. */
  readonly style?: PromptStyle;
  /** Of sampled answers. */
  readonly seed?: number;
  /** Bootstrap resamples for standard errors; 0: none. */
  readonly resamples?: number;
  /** Told the share of the work that is done, 0–1. */
  readonly onProgress?: (share: number) => void;
}

export interface TaskScore extends Aggregated {
  readonly metric: string;
  readonly filter: string;
  readonly aggregation: AggregationName;
  readonly higherIsBetter: boolean;
}

export interface TaskResult {
  readonly config: TaskConfig;
  readonly numFewshot: number;
  readonly numDocuments: number;
  readonly items: readonly TaskItem[];
  readonly metrics: readonly Metric[];
  readonly scores: readonly TaskScore[];
}

export async function runTask(model: TaskModel, config: TaskConfig, options: RunTaskOptions = {}): Promise<TaskResult> {
  const { fewshotSeed = 1234, limit, resamples = DEFAULT_RESAMPLES } = options;
  const metrics = metricsOf(config);
  const filters = filtersOf(config);
  const split = config.testSplit ?? config.validationSplit;
  if (split === undefined)
    throw new FieldError("TASK_FIELD", { at: config.at("test_split"), expected: "a test_split or a validation_split to evaluate on" });
  const questions = await read(config, split);
  const docs = limit === undefined ? questions.docs : questions.docs.slice(0, limit);
  const numFewshot = config.numFewshot === 0 ? 0 : (options.numFewshot ?? config.numFewshot ?? 0);
  const reader = documentReader(config, questions.features, config.at);
  const examples = numFewshot === 0 ? questions : await exampleSplit(config, questions, split);
  const contexts = contextBuilder(config, reader, examples, { numFewshot, seed: fewshotSeed, style: options.style });
  const items = taskItems({ model, config, reader, metrics, filters, docs, contexts, options });
  const scores = filters.flatMap(({ name }) =>
    metrics.flatMap((metric): TaskScore[] => {
      const values = itemValues(items, name, metric.name);
      if (values.length === 0) return [];
      const { aggregation, higherIsBetter } = metric;
      return [{ metric: metric.name, filter: name, aggregation, higherIsBetter, ...aggregate(aggregation, values, resamples) }];
    }),
  );
  return { config, numFewshot, numDocuments: questions.docs.length, items, metrics, scores };
}

async function read(config: TaskConfig, split: string) {
  const files = config.splits[split];
  if (files === undefined)
    throw new FieldError("TASK_DATA", {
      at: config.at("data"),
      expected: `files of the split ${split}`,
      received: Object.keys(config.splits),
    });
  return readSplit(files, config.at(`data.${split}`));
}

/** Examples come from their own split, else from the list in the task, else training, validation, test: the harness' order. */
async function exampleSplit(config: TaskConfig, questions: Awaited<ReturnType<typeof read>>, questionSplit: string) {
  const { samples } = config.fewshot;
  if (config.fewshotSplit === undefined && samples !== undefined)
    return { docs: samples, features: new Set(samples.flatMap((sample) => Object.keys(sample))) };
  const split = config.fewshotSplit ?? config.trainingSplit ?? config.validationSplit ?? config.testSplit!;
  return split === questionSplit ? questions : read(config, split);
}

function filtersOf(config: TaskConfig): NamedFilter[] {
  const pipelines = config.filterList ?? [{ name: "none", filter: [{ function: "take_first" }] }];
  const generates = config.outputType === "generate_until";
  return pipelines.map((pipeline, i) => {
    const at = config.at(`filter_list[${i}]`);
    if (!generates && pipeline.filter.some((step) => step.function !== "take_first"))
      throw new FieldError("TASK_FILTER", { at, expected: `only take_first, since ${config.outputType} has no text to filter` });
    return { name: pipeline.name, apply: filterOf(pipeline, at) };
  });
}
