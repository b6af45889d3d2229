/** A model on tasks and groups. */
import type { Decoder } from "../../model/decoder.ts";
import type { ChatTemplate } from "../../tokenizer/chat/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { DEFAULT_RESAMPLES } from "./aggregation.ts";
import { type GroupResult, groupResults } from "./groups.ts";
import { chatStyle, plainText } from "./prompt-style.ts";
import { resultsJson } from "./results.ts";
import { type RunTaskOptions, runTask, type TaskResult } from "./run-task.ts";
import { DEFAULT_BATCH_SIZE } from "./score.ts";
import type { Selection } from "./task-index.ts";
import { TaskModel } from "./task-model.ts";

export interface EvaluateTasksOptions extends Omit<RunTaskOptions, "onProgress" | "style"> {
  /** Prompts are conversations in the words of this template. Default: plain text. */
  readonly chatTemplate?: ChatTemplate;
  /** With a template: each example a turn of its own (default), or all in the user's one turn. */
  readonly fewshotAsMultiturn?: boolean;
  /** Before the description of every task; with a template the system's turn. */
  readonly systemInstruction?: string;
  /** Tokens that the model sees at once. Default: all that it can. */
  readonly maxLength?: number;
  /** Told where the work stands: task, share of it that is done (0–1), number of the task from 0, number of tasks. */
  readonly onProgress?: (task: string, share: number, index: number, count: number) => void;
}

export interface TasksResult {
  readonly tasks: readonly TaskResult[];
  readonly groups: readonly GroupResult[];
  /** In lm-evaluation-harness' layout. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly started: Date;
}

/** `name` stands in the results for the model. */
export async function evaluateTasks(
  { model, tokenizer, name }: { readonly model: Decoder; readonly tokenizer: Tokenizer; readonly name: string },
  { tasks: configs, groups: roots }: Selection,
  { maxLength, onProgress, chatTemplate, fewshotAsMultiturn = true, systemInstruction, ...options }: EvaluateTasksOptions = {},
): Promise<TasksResult> {
  const started = new Date();
  const taskModel = new TaskModel(model, tokenizer, { maxLength });
  const system = systemInstruction;
  const style = chatTemplate === undefined ? { ...plainText, system } : chatStyle(chatTemplate, { system, fewshotAsMultiturn });
  const tasks: TaskResult[] = [];
  for (const [i, config] of configs.entries()) {
    const progress = (share: number) => onProgress?.(config.task, share, i, configs.length);
    progress(0);
    tasks.push(await runTask(taskModel, config, { ...options, style, onProgress: progress }));
    progress(1);
  }
  const byTask = new Map(tasks.map((task) => [task.config.task, task]));
  const groups = roots.flatMap((group) => groupResults(group, byTask));
  const json = resultsJson(tasks, groups, {
    model: name,
    numParameters: model.parameters.reduce((sum, parameter) => sum + parameter.numel, 0),
    batchSize: options.batchSize ?? DEFAULT_BATCH_SIZE,
    limit: options.limit,
    resamples: options.resamples ?? DEFAULT_RESAMPLES,
    fewshotSeed: options.fewshotSeed ?? 1234,
    maxLength: taskModel.maxLength,
    chatTemplate: chatTemplate?.source,
    fewshotAsMultiturn: chatTemplate === undefined ? undefined : fewshotAsMultiturn,
    systemInstruction,
    started,
    seconds: (Date.now() - started.getTime()) / 1000,
  });
  return { tasks, groups, json, started };
}
