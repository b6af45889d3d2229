/** The items of a task: what the model was asked, what it answered, and how that scores. */
import { FieldError } from "../../errors.ts";
import { countUtf8Bytes } from "../text/whitespace.ts";
import type { ItemValue } from "./aggregation.ts";
import type { TaskConfig } from "./config.ts";
import type { Doc } from "./data.ts";
import type { DocumentReader, Target } from "./document.ts";
import { answerText } from "./fewshot.ts";
import { answerScores, choiceScores, continuationScores, type Metric, rollingScores } from "./metrics.ts";
import type { PromptStyle } from "./prompt-style.ts";
import type { ContinuationScore, ScoreOptions } from "./score.ts";
import type { GenerateOptions, TaskModel } from "./task-model.ts";

export interface TaskItem {
  readonly docId: number;
  readonly doc: Doc;
  readonly target: Target;
  /** Per request: context and continuation, or prompt and generation settings, or the document. */
  readonly arguments: readonly (readonly unknown[])[];
  /** Per request and repeat: [nats, greedy], nats, or a text. */
  readonly responses: readonly (readonly unknown[])[];
  /** By name of the filter pipeline. */
  readonly byFilter: Readonly<
    Record<string, { readonly filtered: readonly unknown[]; readonly scores: Readonly<Record<string, ItemValue>> }>
  >;
}

/** What the items have of one metric; an item without a right answer may have none. */
export function itemValues(items: readonly TaskItem[], filter: string, metric: string): ItemValue[] {
  return items.map(({ byFilter }) => byFilter[filter]!.scores[metric]).filter((value) => value !== undefined);
}

export interface NamedFilter {
  readonly name: string;
  readonly apply: (answers: readonly string[], doc: Doc) => string;
}

export interface TaskWork {
  readonly model: TaskModel;
  readonly config: TaskConfig;
  readonly reader: DocumentReader;
  readonly metrics: readonly Metric[];
  readonly filters: readonly NamedFilter[];
  readonly docs: readonly Doc[];
  /** Asked once for each document, in their order. */
  readonly contexts: (doc: Doc) => string | string[];
  readonly options: GenerateOptions & { readonly style?: PromptStyle };
}

export function taskItems(work: TaskWork): TaskItem[] {
  return {
    loglikelihood_rolling: rollingItems,
    loglikelihood: continuationItems,
    multiple_choice: choiceItems,
    generate_until: answerItems,
  }[work.config.outputType](work);
}

function rollingItems(work: TaskWork): TaskItem[] {
  const targets = work.docs.map((doc) => textTarget(work, doc));
  const sums = work.model.documentLogLikelihoods(targets, scoreOptions(work));
  return targets.map((target, i) => scored(work, i, [[target]], [sums[i]!], rollingScores(work.metrics, sums[i]!, target)));
}

function continuationItems(work: TaskWork): TaskItem[] {
  const requests = work.docs.map((doc) => ({ context: oneContext(work, doc), continuation: textTarget(work, doc) }));
  return work.model.logLikelihoods(requests, scoreOptions(work)).map(({ logLikelihood, greedy }, i) => {
    const { context, continuation } = requests[i]!;
    const scores = continuationScores(work.metrics, { logLikelihood, greedy, bytes: countUtf8Bytes(continuation) });
    return scored(work, i, [[context, continuation]], [[logLikelihood, greedy]], scores);
  });
}

function choiceItems(work: TaskWork): TaskItem[] {
  const { config, reader, metrics } = work;
  const mutual = metrics.some(({ name }) => name === "acc_mutual_info");
  const { genPrefix = "", targetDelimiter } = config;
  // The model's turn begins without a delimiter, unless it was begun by a prefix that ends in a word.
  const delimiter = work.options.style?.isChat === true && (genPrefix === "" || /\s$/.test(genPrefix)) ? "" : targetDelimiter;
  const asked = work.docs.map((doc) => {
    const context = work.contexts(doc);
    const choices = reader.choices(doc)!;
    const inputs = typeof context !== "string";
    // Where the choices are the inputs, the same text is to follow each of them, and the right one's number is the text of the question.
    const requests = inputs
      ? context.map((each) => ({ context: each, continuation: `${delimiter}${String(reader.target(doc))}` }))
      : choices.map((choice) => ({ context, continuation: `${delimiter}${choice}` }));
    const alone = mutual ? choices.map((choice) => ({ context: "", continuation: `${delimiter}${choice}` })) : [];
    const gold = goldOf(inputs ? (reader.text(doc) as number) : reader.target(doc), choices);
    return { choices, requests, alone, gold };
  });
  const [conditional, free] = [asked.flatMap(({ requests }) => requests), asked.flatMap(({ alone }) => alone)];
  const scores = work.model.logLikelihoods([...conditional, ...free], scoreOptions(work));
  const take = (count: number, from: Iterator<ContinuationScore>) =>
    Array.from({ length: count }, () => from.next().value as ContinuationScore);
  const [ofConditional, ofFree] = [scores.slice(0, conditional.length).values(), scores.slice(conditional.length).values()];
  return asked.map(({ choices, requests, alone, gold }, i) => {
    const [own, unconditional] = [take(requests.length, ofConditional), take(alone.length, ofFree)];
    const values = choiceScores(metrics, {
      choices,
      logLikelihoods: own.map(nats),
      greedy: own.map(({ greedy }) => greedy),
      unconditional: mutual ? unconditional.map(nats) : undefined,
      gold,
      bytes: requests.map(({ continuation }) => countUtf8Bytes(continuation)),
    });
    const args = [...requests, ...alone].map(({ context, continuation }) => [context, continuation]);
    const responses = [...own, ...unconditional].map(({ logLikelihood, greedy }) => [logLikelihood, greedy]);
    return scored(work, i, args, responses, values);
  });
}

function answerItems(work: TaskWork): TaskItem[] {
  const { config, reader, metrics, filters, docs } = work;
  const prompts = docs.map((doc) => oneContext(work, doc));
  const repeated = prompts.flatMap((prompt, i) =>
    Array.from({ length: config.repeats }, (_, repeat) => ({
      prompt,
      generation: config.generation,
      name: `${config.task}:${i}:${repeat}`,
    })),
  );
  const { seed } = work.options;
  const texts = work.model.generateUntil(repeated, { ...scoreOptions(work), ...(seed === undefined ? {} : { seed }) });
  const { until, maxGenToks, temperature } = config.generation;
  const settings = { until, max_gen_toks: maxGenToks, do_sample: temperature > 0, temperature };
  return docs.map((doc, docId): TaskItem => {
    const answers = texts.slice(docId * config.repeats, (docId + 1) * config.repeats);
    const references = referencesOf(reader, doc);
    const byFilter = filters.map(({ name, apply }) => {
      const answer = apply(answers, doc);
      return [name, { filtered: [answer], scores: answerScores(metrics, answer, references, config.at("metric_list")) }] as const;
    });
    return {
      docId,
      doc,
      target: reader.target(doc),
      arguments: [[prompts[docId]!, settings]],
      responses: [answers],
      byFilter: Object.fromEntries(byFilter),
    };
  });
}

/** An item whose answers are numbers: every filter leaves them as they are. */
function scored(
  { reader, filters, docs }: TaskWork,
  docId: number,
  args: TaskItem["arguments"],
  responses: readonly unknown[],
  scores: Readonly<Record<string, ItemValue>>,
): TaskItem {
  const doc = docs[docId]!;
  return {
    docId,
    doc,
    target: reader.target(doc),
    arguments: args,
    responses: responses.map((response) => [response]),
    byFilter: Object.fromEntries(filters.map(({ name }) => [name, { filtered: responses, scores }])),
  };
}

function scoreOptions({ options: { batchSize, onProgress } }: TaskWork): ScoreOptions {
  return { ...(batchSize === undefined ? {} : { batchSize }), ...(onProgress === undefined ? {} : { onProgress }) };
}

function textTarget({ config, reader }: TaskWork, doc: Doc): string {
  const target = reader.target(doc);
  if (typeof target !== "object") return String(target);
  throw new FieldError("TASK_DOCUMENT", { at: config.at("doc_to_target"), expected: "one text", received: target });
}

function oneContext({ config, contexts }: TaskWork, doc: Doc): string {
  const context = contexts(doc);
  if (typeof context === "string") return context;
  throw new FieldError("TASK_DOCUMENT", { at: config.at("doc_to_text"), expected: "a text, not the number of a choice", received: doc });
}

/** The right answers of a document as texts; with choices the target is the number of one. */
function referencesOf(reader: DocumentReader, doc: Doc): string[] {
  const [target, choices] = [reader.target(doc), reader.choices(doc)];
  if (choices !== undefined) return [answerText(target, choices) ?? ""];
  return typeof target === "object" ? target.map(String) : [String(target)];
}

const nats = ({ logLikelihood }: ContinuationScore) => logLikelihood;

/** Numbers of the right choices: as they are, or found by their text. */
function goldOf(target: Target, choices: readonly string[]): number[] {
  const all = typeof target === "object" ? target : [target];
  return all.map((each) => (typeof each === "number" ? each : choices.indexOf(each)));
}
