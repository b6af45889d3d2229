/** Results in the layout of lm-evaluation-harness: one JSON for the scores, one JSON line per item, so that its readers read ours. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../corpus/formats/index.ts";
import { Float, pythonText } from "../../tokenizer/chat/repr.ts";
import { aggregations, type ItemValue } from "./aggregation.ts";
import type { GroupResult } from "./groups.ts";
import type { TaskItem } from "./items.ts";
import type { TaskResult } from "./run-task.ts";

export interface EvaluationInfo {
  /** Path or name of the model. */
  readonly model: string;
  readonly numParameters: number;
  readonly batchSize: number;
  readonly limit: number | undefined;
  readonly resamples: number;
  readonly fewshotSeed: number;
  readonly maxLength: number;
  readonly chatTemplate?: string | undefined;
  readonly fewshotAsMultiturn?: boolean | undefined;
  readonly systemInstruction?: string | undefined;
  readonly started: Date;
  readonly seconds: number;
}

type Json = Record<string, unknown>;

export function resultsJson(tasks: readonly TaskResult[], groups: readonly GroupResult[], info: EvaluationInfo): Json {
  const sorted = (entries: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  const metricsOf = (scores: readonly { metric: string; filter: string; value: number; standardError: number | null }[]) =>
    Object.fromEntries(
      scores.flatMap(({ metric, filter, value, standardError }) => [
        [`${metric},${filter}`, value],
        [`${metric}_stderr,${filter}`, standardError ?? "N/A"],
      ]),
    );
  const ofTasks = tasks.map(
    ({ config, items, scores }) =>
      [config.task, { name: config.task, alias: config.alias, sample_len: items.length, ...metricsOf(scores) }] as const,
  );
  const ofGroups = groups.map(({ group, numItems, scores }) => {
    const counts = Object.fromEntries(scores.map((score) => [`${score.metric},${score.filter}`, score.numItems]));
    const counted = scores.length === 0 ? {} : { sample_len: numItems, ...metricsOf(scores), sample_count: counts };
    return [group.name, { alias: group.alias, name: group.name, ...counted }] as const;
  });
  const better = new Map<string, Json>(
    tasks.map(({ config, metrics }) => [
      config.task,
      Object.fromEntries(metrics.map(({ name, higherIsBetter }) => [name, higherIsBetter])),
    ]),
  );
  const shots = new Map<string, number>(tasks.map(({ config, numFewshot }) => [config.task, numFewshot]));
  for (const { group } of groups) {
    const names = group.children.map((child) => (typeof child === "string" ? child : child.name));
    const merged: Json = {};
    for (const [metric, higher] of names.flatMap((name) => Object.entries(better.get(name) ?? {})))
      merged[metric] = metric in merged && merged[metric] !== higher ? null : higher;
    if (Object.keys(merged).length > 0) better.set(group.name, merged);
    // Of its own tasks; the harness tells none of a group of groups.
    const counts = new Set(names.flatMap((name) => tasks.find(({ config }) => config.task === name)?.numFewshot ?? []));
    if (counts.size === 1) shots.set(group.name, [...counts][0]!);
  }
  const aggregated = ofGroups.filter(([, value]) => "sample_count" in value);
  const signatures = tasks
    .map((task) => [task.config.task, signaturesOf(task)] as const)
    .filter(([, value]) => Object.keys(value).length > 0);
  return {
    results: Object.fromEntries([...ofTasks, ...ofGroups]),
    ...(aggregated.length === 0 ? {} : { groups: Object.fromEntries(aggregated) }),
    group_subtasks: Object.fromEntries(
      groups.map(({ group }) => [group.name, group.children.map((child) => (typeof child === "string" ? child : child.name))]),
    ),
    configs: sorted(tasks.map((task) => [task.config.task, configJson(task)])),
    versions: sorted([
      ...tasks.map(({ config }) => [config.task, config.version ?? "Yaml"] as const),
      ...groups.map(({ group }) => [group.name, group.version === undefined ? "N/A" : String(group.version)] as const),
    ]),
    "n-shot": sorted([...shots]),
    higher_is_better: sorted([...better]),
    "n-samples": Object.fromEntries(
      tasks.map(({ config, numDocuments, items }) => [config.task, { original: numDocuments, effective: items.length }]),
    ),
    ...(signatures.length === 0 ? {} : { signatures: Object.fromEntries(signatures) }),
    config: {
      model: "perennial",
      model_args: { pretrained: info.model },
      model_num_parameters: info.numParameters,
      model_dtype: "float32",
      batch_size: info.batchSize,
      device: "cpu",
      limit: info.limit ?? null,
      bootstrap_iters: info.resamples,
      fewshot_seed: info.fewshotSeed,
    },
    date: info.started.getTime() / 1000,
    max_length: info.maxLength,
    system_instruction: info.systemInstruction ?? null,
    system_instruction_sha: info.systemInstruction === undefined ? null : hashOf(info.systemInstruction),
    fewshot_as_multiturn: info.fewshotAsMultiturn ?? null,
    chat_template: info.chatTemplate ?? null,
    chat_template_sha: info.chatTemplate === undefined ? null : hashOf(info.chatTemplate),
    model_source: "perennial",
    model_name: info.model,
    model_name_sanitized: sanitized(info.model),
    total_evaluation_time_seconds: String(info.seconds),
    task_hashes: Object.fromEntries(tasks.map((task) => [task.config.task, hashOf(samplesJson(task).map(hashesOf).join(""))])),
  };
}

function configJson({ config, numFewshot }: TaskResult): Json {
  const { description, targetDelimiter, fewshotDelimiter, repeats, outputType } = config;
  const defaults = {
    description,
    target_delimiter: targetDelimiter,
    fewshot_delimiter: fewshotDelimiter,
    repeats,
    output_type: outputType,
  };
  return { ...config.written, ...defaults, num_fewshot: numFewshot };
}

/** sacreBLEU's signatures of the metrics that have one. */
function signaturesOf({ metrics, items, scores }: TaskResult): Json {
  const filter = scores[0]?.filter;
  return Object.fromEntries(
    metrics.flatMap(({ name, aggregation }) => {
      const known = aggregation === "median" ? undefined : aggregations[aggregation];
      if (known === undefined || !("signature" in known) || filter === undefined) return [];
      const counts = new Set(
        items.map(({ byFilter }) => (byFilter[filter]!.scores[name] as { references: readonly string[] }).references.length),
      );
      return [[name, (known.signature as (count: number | "var") => string)(counts.size === 1 ? [...counts][0]! : "var")]];
    }),
  );
}

/** One line per item and filter. */
export function samplesJson({ items }: TaskResult): Json[] {
  const filters = Object.keys(items[0]?.byFilter ?? {});
  return filters.flatMap((filter) => items.map((item) => sampleJson(item, filter)));
}

function sampleJson(item: TaskItem, filter: string): Json {
  const { filtered, scores } = item.byFilter[filter]!;
  const args = item.arguments.map((list, i) => [`gen_args_${i}`, Object.fromEntries(list.map((value, j) => [`arg_${j}`, value]))] as const);
  const target = pythonText(item.target);
  return {
    doc_id: item.docId,
    doc: item.doc,
    target,
    arguments: Object.fromEntries(args),
    resps: item.responses.map((repeats) => repeats.map(asText)),
    filtered_resps: filtered.map(asText),
    filter,
    metrics: Object.keys(scores),
    doc_hash: hashOf(JSON.stringify(item.doc, null, 2)),
    prompt_hash: hashOf(String(item.arguments[0]?.[0] ?? "")),
    target_hash: hashOf(target),
    ...Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, valueJson(value)])),
  };
}

function valueJson(value: ItemValue): unknown {
  if (typeof value !== "object" || !("references" in value)) return value;
  return [value.references.length === 1 ? value.references[0] : value.references, value.hypothesis];
}

/** The harness writes answers as texts. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  return typeof value === "number" ? pythonText(new Float(value)) : pythonText(value);
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const hashesOf = ({ doc_hash, prompt_hash, target_hash }: Json) => `${doc_hash}${prompt_hash}${target_hash}`;
const sanitized = (name: string) => name.replace(/["<>:/|\\?*[\]]+/g, "__");

/** Writes `FOLDER/MODEL/results_DATE.json` and, where asked, `samples_TASK_DATE.jsonl`. Returns the path of the results. */
export function writeResults(
  folder: string,
  results: Json,
  tasks: readonly TaskResult[],
  { started, samples }: { started: Date; samples: boolean },
): string {
  const target = join(folder, String(results.model_name_sanitized));
  mkdirSync(target, { recursive: true });
  const date = started.toISOString().replaceAll(":", "-");
  if (samples)
    for (const task of tasks) {
      const lines = samplesJson(task).map((sample) => `${JSON.stringify(sample)}\n`);
      writeFileAtomic(join(target, `samples_${sanitized(task.config.task)}_${date}.jsonl`), lines.join(""));
    }
  const path = join(target, `results_${date}.json`);
  writeFileAtomic(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}
