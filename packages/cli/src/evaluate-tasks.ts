/** Evaluates one model, or two side by side, on benchmark tasks for a person at a terminal. */
import { relative, resolve } from "node:path";
import type { Selection, TasksResult } from "perennial/evaluate/tasks";
import type { Effects } from "./effects.ts";
import { comparisonTable, resultsTable } from "./task-text.ts";

export interface TaskCommandOptions {
  tasks: readonly string[];
  task?: readonly string[];
  numFewshot?: number;
  applyChatTemplate?: string | true;
  fewshotAsMultiturn?: boolean;
  systemInstruction?: string;
  limit?: number;
  batchSize?: number;
  sequenceLength?: number;
  bootstrap?: number;
  seed?: number;
  output?: string;
  samples?: boolean;
  against?: string;
  json?: boolean;
}

export async function evaluateOnTasks(model: string, options: TaskCommandOptions, effects: Effects): Promise<void> {
  const { TaskIndex, compareTasks, writeResults } = await import("perennial/evaluate/tasks");
  const { FieldError } = await import("perennial");
  if (options.samples === true && options.output === undefined)
    throw new FieldError("EVALUATE_OPTIONS", { at: "--samples", expected: "--output FOLDER as well, where the items are written" });
  const selection = new TaskIndex(options.tasks.map((path) => resolve(effects.cwd, path))).select(options.task);
  const results: TasksResult[] = [];
  for (const path of [model, ...(options.against === undefined ? [] : [options.against])])
    results.push(await evaluateModel(path, selection, options, effects));
  const [first, second] = results as [TasksResult, TasksResult?];
  const comparisons = second === undefined ? undefined : compareTasks(second.tasks, first.tasks);
  if (options.output !== undefined)
    for (const { json, tasks, started } of results) {
      const { samples = false, output } = options;
      const path = writeResults(resolve(effects.cwd, output), json, tasks, { started, samples });
      effects.err(`Wrote ${relative(effects.cwd, path)}\n`);
    }
  if (options.json === true) {
    const all = comparisons === undefined ? first.json : { model: first.json, against: second!.json, comparison: comparisons };
    return effects.out(`${JSON.stringify(all, null, 2)}\n`);
  }
  effects.out(
    comparisons === undefined ? resultsTable(first) : `${comparisonTable(comparisons, options.against!, model)}\n${resultsTable(first)}`,
  );
}

async function evaluateModel(path: string, selection: Selection, options: TaskCommandOptions, effects: Effects): Promise<TasksResult> {
  const { openModel } = await import("perennial/run");
  const { evaluateTasks } = await import("perennial/evaluate/tasks");
  const { loadChatTemplate } = await import("perennial/tokenizer");
  const { FieldError } = await import("perennial");
  const folder = resolve(effects.cwd, path);
  const { applyChatTemplate: named, fewshotAsMultiturn, systemInstruction } = options;
  const chatTemplate = named === undefined ? undefined : loadChatTemplate(folder, named === true ? undefined : named);
  if (named !== undefined && chatTemplate === undefined)
    throw new FieldError("EVALUATE_OPTIONS", {
      at: "--apply-chat-template",
      expected: `a model with a chat template: ${path} has none`,
      todo: "leave the option away to ask in plain text",
    });
  const { model, tokenizer } = await openModel(folder);
  const show = taskProgress(path, effects);
  const { numFewshot, limit, batchSize, sequenceLength, bootstrap, seed } = options;
  const result = await evaluateTasks({ model, tokenizer, name: path }, selection, {
    ...(numFewshot === undefined ? {} : { numFewshot }),
    ...(chatTemplate === undefined ? {} : { chatTemplate }),
    ...(fewshotAsMultiturn === undefined ? {} : { fewshotAsMultiturn }),
    ...(systemInstruction === undefined ? {} : { systemInstruction }),
    ...(limit === undefined ? {} : { limit }),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(sequenceLength === undefined ? {} : { maxLength: sequenceLength }),
    ...(bootstrap === undefined ? {} : { resamples: bootstrap }),
    ...(seed === undefined ? {} : { fewshotSeed: seed }),
    onProgress: show,
  });
  for (const parameter of model.parameters) parameter.dispose();
  return result;
}

const LIVE_MILLISECONDS = 100;

/** One live line at a terminal, elsewhere a line per task. */
function taskProgress(model: string, effects: Effects) {
  let shownAt = Number.NEGATIVE_INFINITY;
  return (task: string, share: number, index: number, count: number) => {
    const line = `${model}  task ${index + 1}/${count} ${task}`;
    if (!effects.isTTY) {
      if (share === 0) effects.err(`${line}\n`);
      return;
    }
    const now = effects.now();
    if (share > 0 && share < 1 && now - shownAt < LIVE_MILLISECONDS) return;
    shownAt = now;
    const end = share === 1 && index === count - 1 ? "\r\u001b[K" : "";
    effects.err(`\r\u001b[K${`${line} ${(100 * share).toFixed(0)} %`.slice(0, effects.columns - 1)}${end}`);
  };
}
