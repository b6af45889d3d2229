/** The fields of a task, checked. Names are those of lm-evaluation-harness' files, so that its documentation holds. */
import { resolve } from "node:path";
import { FieldError, nearest } from "../../errors.ts";
import { type FieldChecks, flag, listOf, oneOf, record, text, textOrNumber, whole } from "./fields.ts";
import type { TaskYaml } from "./yaml-file.ts";

export const OUTPUT_TYPES = ["multiple_choice", "loglikelihood", "loglikelihood_rolling", "generate_until"] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** A field name, a template, or what stands for every document. */
export type DocumentField = string | number | readonly string[] | Readonly<Record<string, string>>;

/** How one document is written as a question and its answer. */
export interface Formatting {
  readonly docToText: DocumentField;
  readonly docToTarget: DocumentField | undefined;
  readonly docToChoice: DocumentField | undefined;
  readonly genPrefix: string | undefined;
  readonly targetDelimiter: string;
  readonly fewshotDelimiter: string;
}

export interface Generation {
  readonly until: readonly string[];
  readonly maxGenToks: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topK: number | undefined;
  readonly topP: number | undefined;
}

export interface MetricEntry {
  readonly metric: string;
  readonly aggregation: string | undefined;
  readonly higherIsBetter: boolean | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface FilterPipeline {
  readonly name: string;
  readonly filter: readonly (Readonly<Record<string, unknown>> & { readonly function: string })[];
}

export interface TaskConfig extends Formatting {
  readonly task: string;
  readonly alias: string;
  readonly tags: readonly string[];
  readonly outputType: OutputType;
  /** Files by split. */
  readonly splits: Readonly<Record<string, readonly string[]>>;
  readonly trainingSplit: string | undefined;
  readonly validationSplit: string | undefined;
  readonly testSplit: string | undefined;
  readonly fewshotSplit: string | undefined;
  readonly description: string;
  readonly fewshot: Formatting & {
    readonly sampler: "default" | "first_n";
    readonly samples: readonly Readonly<Record<string, unknown>>[] | undefined;
  };
  readonly numFewshot: number | undefined;
  readonly metricList: readonly MetricEntry[] | undefined;
  readonly filterList: readonly FilterPipeline[] | undefined;
  readonly generation: Generation;
  readonly repeats: number;
  readonly version: string | number | undefined;
  /** The fields as written, includes merged. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly at: (field: string) => string;
}

const FORMATTING: FieldChecks = {
  doc_to_text: textOrNumber,
  doc_to_target: (value) => textOrNumber(value) || listOf(text)(value),
  doc_to_choice: (value) => text(value) || listOf(textOrNumber)(value) || record(value),
  gen_prefix: text,
  target_delimiter: text,
  fewshot_delimiter: text,
};

const FIELDS: FieldChecks = {
  ...FORMATTING,
  task: text,
  task_alias: text,
  tag: (value) => text(value) || listOf(text)(value),
  group: (value) => text(value) || listOf(text)(value),
  dataset_path: text,
  dataset_name: text,
  dataset_kwargs: record,
  data: (value) => text(value) || record(value),
  training_split: text,
  validation_split: text,
  test_split: text,
  fewshot_split: text,
  output_type: oneOf(OUTPUT_TYPES),
  description: text,
  fewshot_config: record,
  num_fewshot: whole,
  metric_list: listOf(record),
  filter_list: listOf(record),
  generation_kwargs: record,
  repeats: whole,
  metadata: record,
  // Of the harness' search for test sets in its training data of old; it does not change a score.
  should_decontaminate: flag,
  doc_to_decontamination_query: text,
};

const NEEDS_CODE = "what can be said without Python code";
const PREPARE = "prepare the data once and save it as JSONL, then name its fields here";
/** Fields of the harness that are refused, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  process_docs: PREPARE,
  process_results: "choose metrics in metric_list",
  custom_dataset: PREPARE,
  class: "write the task as YAML",
  use_prompt: "write the prompt as doc_to_text and doc_to_target",
  unsafe_code: "leave it away: generated code is never run",
  doc_to_image: "only text is evaluated",
  doc_to_audio: "only text is evaluated",
};

export const taskNameOf = ({ fields }: TaskYaml): string | undefined => (typeof fields.task === "string" ? fields.task : undefined);

/** Checks a task; an error names file, line and field. */
export function taskConfig(yaml: TaskYaml): TaskConfig {
  const { at } = yaml;
  const fields = Object.fromEntries(Object.entries(yaml.fields).filter(([, value]) => value !== null && value !== undefined));
  checkFields(fields, FIELDS, at);
  const field = <T>(name: string) => fields[name] as T | undefined;
  const outputType = field<OutputType>("output_type") ?? "generate_until";
  const rolling = outputType === "loglikelihood_rolling";
  if (fields.doc_to_text === undefined && !rolling)
    throw new FieldError("TASK_FIELD", { at: at("doc_to_text"), expected: "a template or the name of a field of the data" });
  if (fields.doc_to_target === undefined)
    throw new FieldError("TASK_FIELD", { at: at("doc_to_target"), expected: "a template or the name of a field of the data" });
  if (outputType === "multiple_choice" && fields.doc_to_choice === undefined)
    throw new FieldError("TASK_FIELD", {
      at: at("doc_to_choice"),
      expected: "the choices: a list, a template that makes one, or a field name",
    });
  const formatting = formattingOf(fields, { targetDelimiter: " ", fewshotDelimiter: "\n\n" });
  const fewshot = field<Record<string, unknown>>("fewshot_config") ?? {};
  checkFields(fewshot, { ...FORMATTING, sampler: oneOf(["default", "first_n"]), split: text, samples: listOf(record) }, (name) =>
    at(`fewshot_config.${name}`),
  );
  const tags = [field<string | string[]>("tag"), typeof fields.task === "string" ? field<string | string[]>("group") : undefined];
  return {
    ...formatting,
    task: field<string>("task") ?? "task",
    alias: field<string>("task_alias") ?? field<string>("task") ?? "task",
    tags: tags.flatMap((tag) => tag ?? []),
    outputType,
    splits: splitsOf(yaml, fields),
    trainingSplit: field("training_split"),
    validationSplit: field("validation_split"),
    testSplit: field("test_split"),
    fewshotSplit: (fewshot.split as string | undefined) ?? field("fewshot_split"),
    description: field("description") ?? "",
    fewshot: {
      ...formattingOf({ ...fields, ...fewshot }, { targetDelimiter: " ", fewshotDelimiter: "\n\n" }),
      sampler: (fewshot.sampler as "default" | "first_n" | undefined) ?? "default",
      samples: fewshot.samples as Record<string, unknown>[] | undefined,
    },
    numFewshot: field("num_fewshot"),
    metricList: field<Record<string, unknown>[]>("metric_list")?.map((entry, i) => metricEntry(entry, at(`metric_list[${i}]`))),
    filterList: field<Record<string, unknown>[]>("filter_list")?.map((entry, i) => filterPipeline(entry, at(`filter_list[${i}]`))),
    generation: generationOf(field("generation_kwargs"), formatting.fewshotDelimiter, (name) => at(`generation_kwargs.${name}`)),
    repeats: Math.max(1, field<number>("repeats") ?? 1),
    version: (fields.metadata as { version?: string | number } | undefined)?.version,
    written: fields,
    at,
  };
}

/** Every field must be known and of its type. */
export function checkFields(fields: Readonly<Record<string, unknown>>, checks: FieldChecks, at: (field: string) => string): void {
  for (const [name, value] of Object.entries(fields)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      const refused = checks === FIELDS && Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
      const near = nearest(name, Object.keys(checks));
      const todo = refused ?? (near === undefined ? `known are ${Object.keys(checks).join(", ")}` : `did you mean ${near}?`);
      throw new FieldError("TASK_FIELD", { at: at(name), expected: refused === undefined ? "a known field" : NEEDS_CODE, todo });
    }
    if (value !== null && !check(value))
      throw new FieldError("TASK_FIELD", { at: at(name), expected: check.expected ?? "another value", received: value });
  }
}

function formattingOf(
  fields: Readonly<Record<string, unknown>>,
  defaults: { targetDelimiter: string; fewshotDelimiter: string },
): Formatting {
  const choice = fields.doc_to_choice as DocumentField | undefined;
  return {
    docToText: (fields.doc_to_text as DocumentField | undefined) ?? "",
    docToTarget: fields.doc_to_target as DocumentField | undefined,
    docToChoice: Array.isArray(choice) ? choice.map(String) : choice,
    genPrefix: fields.gen_prefix as string | undefined,
    targetDelimiter: (fields.target_delimiter as string | undefined) ?? defaults.targetDelimiter,
    fewshotDelimiter: (fields.fewshot_delimiter as string | undefined) ?? defaults.fewshotDelimiter,
  };
}

/** `data:` (ours), or `dataset_path: json` (or `parquet`) with `dataset_kwargs.data_files` (the harness'). */
function splitsOf({ at, folderOf }: TaskYaml, fields: Readonly<Record<string, unknown>>): Record<string, readonly string[]> {
  const path = fields.dataset_path as string | undefined;
  const kwargs = (fields.dataset_kwargs ?? {}) as Record<string, unknown>;
  if (fields.data === undefined && !["json", "parquet"].includes(path ?? ""))
    throw new FieldError("TASK_DATA", {
      at: at(path === undefined ? "data" : "dataset_path"),
      expected: "local data: `data: file.jsonl`, or dataset_path json or parquet with dataset_kwargs.data_files",
      received: path ?? null,
      todo: "nothing is downloaded: save the dataset as JSONL or Parquet beside the task",
    });
  const written = fields.data ?? kwargs.data_files;
  const name = fields.data === undefined ? "dataset_kwargs.data_files" : "data";
  const folder = folderOf(fields.data === undefined ? "dataset_kwargs" : "data");
  const files = (value: unknown, where: string): string[] => {
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0 || !list.every((file) => typeof file === "string"))
      throw new FieldError("TASK_DATA", { at: at(where), expected: "paths of JSONL or Parquet files", received: value ?? null });
    return (list as string[]).map((file) => resolve(folder, file));
  };
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    // The harness calls files without a split `train`; here they serve whichever split the task names.
    const splits = [fields.training_split, fields.validation_split, fields.test_split, fields.fewshot_split, "train"];
    return Object.fromEntries(splits.filter((split) => typeof split === "string").map((split) => [split, files(written, name)]));
  }
  return Object.fromEntries(Object.entries(written).map(([split, value]) => [split, files(value, `${name}.${split}`)]));
}

function metricEntry({ metric, aggregation, higher_is_better, hf_evaluate, ...options }: Record<string, unknown>, at: string): MetricEntry {
  if (typeof metric !== "string") throw new FieldError("TASK_METRIC", { at, expected: "a metric by name", received: metric ?? null });
  if (hf_evaluate === true)
    throw new FieldError("TASK_METRIC", {
      at: `${at}.hf_evaluate`,
      expected: "a metric that is built in; others run downloaded code",
      received: metric,
    });
  if (aggregation !== undefined && typeof aggregation !== "string")
    throw new FieldError("TASK_METRIC", { at: `${at}.aggregation`, expected: "an aggregation by name", received: aggregation });
  return { metric, aggregation, higherIsBetter: typeof higher_is_better === "boolean" ? higher_is_better : undefined, options };
}

function filterPipeline({ name, filter }: Record<string, unknown>, at: string): FilterPipeline {
  const steps = filter as FilterPipeline["filter"];
  if (typeof name !== "string" || !Array.isArray(filter) || !filter.every((step) => record(step) && typeof step.function === "string"))
    throw new FieldError("TASK_FILTER", {
      at,
      expected: "a name and a list of filters, each with its function",
      received: { name, filter },
    });
  return { name, filter: steps };
}

const LENGTHS = ["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"] as const;
const DEFAULT_MAX_GEN_TOKS = 256;

function generationOf(written: Record<string, unknown> | undefined, fewshotDelimiter: string, at: (field: string) => string): Generation {
  const fields = written ?? {};
  const number = Object.assign((value: unknown) => typeof value === "number" && value >= 0, { expected: "a number of at least 0" });
  const lengths = Object.fromEntries(LENGTHS.map((name) => [name, whole]));
  const until = (value: unknown) => text(value) || listOf(text)(value);
  checkFields(fields, { until, do_sample: flag, temperature: number, top_k: whole, top_p: number, ...lengths }, at);
  const stops = (fields.until as string | readonly string[] | undefined) ?? [fewshotDelimiter];
  const length = LENGTHS.map((name) => fields[name] as number | undefined).find((value) => value !== undefined);
  return {
    until: typeof stops === "string" ? [stops] : stops,
    maxGenToks: length ?? DEFAULT_MAX_GEN_TOKS,
    temperature: fields.do_sample === false ? 0 : ((fields.temperature as number | undefined) ?? (fields.do_sample === true ? 1 : 0)),
    topK: fields.top_k as number | undefined,
    topP: fields.top_p as number | undefined,
  };
}
