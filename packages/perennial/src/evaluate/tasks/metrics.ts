/** What is measured on each item, by the kind of task. Names and definitions are those of lm-evaluation-harness; ours are marked. */
import { FieldError } from "../../errors.ts";
import { tokenF1 } from "../answer/token-f1.ts";
import { brierScore } from "../choice/brier.ts";
import { scoreChoice } from "../choice/choice.ts";
import { countUtf8Bytes, wordsWithEmptyEnds } from "../text/whitespace.ts";
import { type AggregationName, aggregationNames, type ItemValue } from "./aggregation.ts";
import type { MetricEntry, OutputType, TaskConfig } from "./config.ts";
import { pythonRegex } from "./python/regex.ts";

export interface Metric {
  readonly name: string;
  readonly aggregation: AggregationName;
  readonly higherIsBetter: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

type Definition = readonly [aggregation: AggregationName, higherIsBetter: boolean];

const DEFINITIONS: Readonly<Record<OutputType, Readonly<Record<string, Definition>>>> = {
  multiple_choice: {
    acc: ["mean", true],
    acc_norm: ["mean", true],
    acc_bytes: ["mean", true],
    acc_mutual_info: ["mean", true],
    exact_match: ["mean", true],
    f1: ["f1", true],
    mcc: ["matthews_corrcoef", true],
    brier_score: ["brier_score", false],
    bits_per_byte: ["bits_per_byte", false], // ours: of the right answer
  },
  loglikelihood: { perplexity: ["perplexity", false], acc: ["mean", true], bits_per_byte: ["bits_per_byte", false] /* ours */ },
  loglikelihood_rolling: {
    word_perplexity: ["weighted_perplexity", false],
    byte_perplexity: ["weighted_perplexity", false],
    bits_per_byte: ["bits_per_byte", false],
  },
  generate_until: {
    exact_match: ["mean", true],
    f1: ["mean", true], // ours: of the words of the answer, as in SQuAD
    bleu: ["bleu", true],
    chrf: ["chrf", true],
    "chrf++": ["chrf++", true],
  },
};

const DEFAULTS: Readonly<Record<OutputType, readonly string[]>> = {
  multiple_choice: ["acc", "acc_norm"],
  loglikelihood: ["perplexity", "acc"],
  loglikelihood_rolling: ["word_perplexity", "byte_perplexity", "bits_per_byte"],
  generate_until: ["exact_match"],
};

/** The metrics of a task; bits per byte is always among them where there is a likelihood. */
export function metricsOf({ outputType, metricList, at }: TaskConfig): Metric[] {
  const known = DEFINITIONS[outputType];
  const asked: readonly MetricEntry[] =
    metricList ?? DEFAULTS[outputType].map((metric) => ({ metric, aggregation: undefined, higherIsBetter: undefined, options: {} }));
  const metrics = asked.map(({ metric, aggregation, higherIsBetter, options }, i): Metric => {
    const definition = Object.hasOwn(known, metric) ? known[metric] : undefined;
    if (definition === undefined)
      throw new FieldError("TASK_METRIC", {
        at: at(`metric_list[${i}].metric`),
        expected: `for ${outputType} one of ${Object.keys(known).join(", ")}`,
        received: metric,
      });
    if (aggregation !== undefined && !aggregationNames.includes(aggregation as AggregationName))
      throw new FieldError("TASK_METRIC", {
        at: at(`metric_list[${i}].aggregation`),
        expected: `one of ${aggregationNames.join(", ")}`,
        received: aggregation,
      });
    const given = (aggregation as AggregationName | undefined) ?? definition[0];
    // A passed-on text or pair can be aggregated in its own way only.
    if (given !== definition[0] && !["mean", "median", "nanmean", "perplexity"].includes(definition[0]))
      throw new FieldError("TASK_METRIC", { at: at(`metric_list[${i}].aggregation`), expected: definition[0], received: given });
    return { name: metric, aggregation: given, higherIsBetter: higherIsBetter ?? definition[1], options };
  });
  if (known.bits_per_byte !== undefined && !metrics.some(({ name }) => name === "bits_per_byte"))
    metrics.push({ name: "bits_per_byte", aggregation: "bits_per_byte", higherIsBetter: false, options: {} });
  return metrics;
}

export type ItemScores = Readonly<Record<string, ItemValue>>;

export interface ChoiceOutcome {
  readonly choices: readonly string[];
  /** Nats, by choice. */
  readonly logLikelihoods: readonly number[];
  readonly greedy: readonly boolean[];
  /** Only for `acc_mutual_info`. */
  readonly unconditional: readonly number[] | undefined;
  /** Numbers of right choices; those out of range are −100 in the harness and right nowhere. */
  readonly gold: readonly number[];
  /** UTF-8 bytes that were scored, by choice. */
  readonly bytes: readonly number[];
}

export function choiceScores(metrics: readonly Metric[], outcome: ChoiceOutcome): Record<string, ItemValue> {
  const { choices, logLikelihoods, greedy, unconditional, gold, bytes } = outcome;
  const valid = gold.filter((k) => k >= 0 && k < choices.length);
  const right = scoreChoice({
    choices,
    logLikelihoods,
    gold: valid,
    ...(unconditional === undefined ? {} : { unconditionalLogLikelihoods: unconditional }),
  });
  const predicted = logLikelihoods.indexOf(Math.max(...logLikelihoods));
  const first = valid[0];
  const values: Readonly<Record<string, () => ItemValue | undefined>> = {
    acc: () => right.accuracy,
    acc_norm: () => right.accuracyNormalized,
    acc_bytes: () => right.accuracyBytes,
    acc_mutual_info: () => right.accuracyMutualInformation,
    exact_match: () => Number(valid.some((k) => greedy[k])),
    f1: () => (first === undefined ? undefined : [first, predicted]),
    mcc: () => (first === undefined ? undefined : [first, predicted]),
    brier_score: () => (first === undefined ? undefined : brierScore(logLikelihoods, first)),
    bits_per_byte: () => (first === undefined ? undefined : [logLikelihoods[first]!, bytes[first]!]),
  };
  return collect(metrics, values);
}

export function continuationScores(
  metrics: readonly Metric[],
  { logLikelihood, greedy, bytes }: { logLikelihood: number; greedy: boolean; bytes: number },
) {
  return collect(metrics, { perplexity: () => logLikelihood, acc: () => Number(greedy), bits_per_byte: () => [logLikelihood, bytes] });
}

/** Words and bytes are those of the target, the original text. */
export function rollingScores(metrics: readonly Metric[], logLikelihood: number, target: string) {
  const bytes = countUtf8Bytes(target);
  return collect(metrics, {
    word_perplexity: () => [logLikelihood, wordsWithEmptyEnds(target).length],
    byte_perplexity: () => [logLikelihood, bytes],
    bits_per_byte: () => [logLikelihood, bytes],
  });
}

export function answerScores(metrics: readonly Metric[], hypothesis: string, references: readonly string[], at: string) {
  const pair = { references, hypothesis };
  return collect(metrics, {
    exact_match: (options) => Number(references.some((reference) => exactly(hypothesis, reference, options, at))),
    f1: () => tokenF1(hypothesis, references),
    bleu: () => pair,
    chrf: () => pair,
    "chrf++": () => pair,
  });
}

function collect(
  metrics: readonly Metric[],
  values: Readonly<Record<string, (options: Metric["options"]) => ItemValue | undefined>>,
): Record<string, ItemValue> {
  const scores: Record<string, ItemValue> = {};
  for (const { name, options } of metrics) {
    const value = values[name]?.(options);
    if (value !== undefined) scores[name] = value;
  }
  return scores;
}

function exactly(hypothesis: string, reference: string, options: Metric["options"], at: string): boolean {
  const regexes = ((options.regexes_to_ignore as string[] | undefined) ?? []).map((source) => pythonRegex(source, at));
  const reduced = (given: string) => {
    let left = regexes.reduce((rest, regex) => rest.replace(regex, ""), given);
    if (options.ignore_case === true) left = left.toLowerCase();
    if (options.ignore_punctuation === true) left = left.replace(/[!-/:-@[-`{-~]/g, "");
    return options.ignore_numbers === true ? left.replace(/[0-9]/g, "") : left;
  };
  return reduced(hypothesis) === reduced(reference);
}
