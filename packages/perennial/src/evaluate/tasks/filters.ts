/**
 * What is done to the answers of a model before they are scored: pipelines of lm-evaluation-harness' filters. Each document has as many
 * answers as `repeats` says; a pipeline must leave one (`take_first`, as a rule at its end).
 */
import { FieldError } from "../../errors.ts";
import { trim } from "../text/whitespace.ts";
import { checkFields, type FilterPipeline } from "./config.ts";
import type { Doc } from "./data.ts";
import { type FieldCheck, listOf, record, text, whole } from "./fields.ts";
import { findAll, pythonRegex } from "./python/regex.ts";

/** The answers of one document, or the one that was chosen. */
type Answers<T> = readonly T[] | T;
type Step = (answers: readonly string[], doc: Doc) => readonly string[] | string;
type Options = Readonly<Record<string, unknown>>;

const integer: FieldCheck = Object.assign((value: unknown) => Number.isSafeInteger(value), { expected: "an integer" });
const flag: FieldCheck = Object.assign((value: unknown) => typeof value === "boolean", { expected: "true or false" });
const regexFields = { regex_pattern: text, group_select: integer, fallback: text };

/** By name: the options a filter takes, and the filter. Options are checked before. */
const FILTERS: Readonly<Record<string, { options: Readonly<Record<string, FieldCheck>>; make: (options: Options, at: string) => Step }>> = {
  take_first: { options: {}, make: () => (answers) => answers[0]! },
  take_first_k: {
    options: { k: whole },
    make:
      ({ k }, at) =>
      (answers) => {
        if (answers.length < (k as number))
          throw new FieldError("TASK_FILTER", { at, expected: `at least ${k} answers`, received: answers.length, todo: "raise repeats" });
        return answers.slice(0, k as number);
      },
  },
  majority_vote: { options: {}, make: () => (answers) => [mostCommon(answers)] },
  remove_whitespace: { options: {}, make: () => (answers) => answers.map(trim) },
  lowercase: { options: {}, make: () => (answers) => answers.map((answer) => answer.toLowerCase()) },
  uppercase: { options: {}, make: () => (answers) => answers.map((answer) => answer.toUpperCase()) },
  map: {
    options: { mapping_dict: record, default_value: Object.assign(() => true, { expected: "any value" }) },
    make: ({ mapping_dict = {}, default_value = null }) => {
      const table = new Map(Object.entries(mapping_dict as Record<string, unknown>));
      return (answers) => answers.map((answer) => String(table.has(answer) ? table.get(answer) : (default_value ?? "None")));
    },
  },
  regex: {
    options: regexFields,
    make: (options, at) => {
      const find = extractor(options, at);
      const fallback = (options.fallback as string | undefined) ?? "[invalid]";
      return (answers) => answers.map((answer) => find(answer) ?? fallback);
    },
  },
  multi_choice_regex: {
    options: { ...regexFields, ignore_case: flag, ignore_punctuation: flag, regexes_to_ignore: listOf(text) },
    make: multiChoice,
  },
};

/** Checks a pipeline and makes it. */
export function filterOf({ filter }: FilterPipeline, at: string): (answers: readonly string[], doc: Doc) => string {
  const steps = filter.map(({ function: name, ...options }, i) => {
    const place = `${at}.filter[${i}]`;
    const known = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
    if (known === undefined)
      throw new FieldError("TASK_FILTER", {
        at: place,
        expected: `one of ${Object.keys(FILTERS).join(", ")}`,
        received: name,
        ...(name === "custom" ? { todo: "custom filters run Python code: say it with regex and map" } : {}),
      });
    checkFields(options, known.options, (field) => `${place}.${field}`);
    return known.make(options, place);
  });
  return (answers, doc) => {
    let current: Answers<string> = answers;
    for (const step of steps) current = step(typeof current === "string" ? [...current] : current, doc);
    if (typeof current === "string") return current;
    if (current.length === 1) return current[0]!;
    throw new FieldError("TASK_FILTER", {
      at,
      expected: "a pipeline that leaves one answer",
      received: current,
      todo: "end it with take_first",
    });
  };
}

function mostCommon(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)![0]; // of equals the first
}

const DEFAULT_PATTERN = "#### (\\-?[0-9\\.\\,]+)";

/** The `group_select`-th match, trimmed; of several groups the first that is not empty. Undefined without a match. */
function extractor({ regex_pattern = DEFAULT_PATTERN, group_select = 0 }: Options, at: string): (answer: string) => string | undefined {
  const regex = pythonRegex(regex_pattern as string, `${at}.regex_pattern`);
  return (answer) => {
    const match = findAll(regex, answer).at(group_select as number);
    const chosen = typeof match === "object" ? match.find((group) => group !== "") : match;
    return chosen === undefined ? undefined : trim(chosen);
  };
}

/** The letter of an answer: by the pattern, else by the text of a choice, else by a letter after a colon. Choices are `doc.choices`. */
function multiChoice(options: Options, at: string): Step {
  const find = extractor(options, at);
  const ignored = ((options.regexes_to_ignore as string[] | undefined) ?? []).map((source) =>
    pythonRegex(source, `${at}.regexes_to_ignore`),
  );
  const reduced = (given: string) => {
    let left = ignored.reduce((rest, regex) => rest.replace(regex, ""), given);
    if (options.ignore_case === true) left = left.toLowerCase();
    return options.ignore_punctuation === true ? left.replace(/\p{P}/gu, "") : left;
  };
  return (answers, { choices }) => {
    if (!Array.isArray(choices))
      throw new FieldError("TASK_FILTER", { at, expected: "data with a list `choices`", received: choices ?? null });
    const letters = choices.map((_, i) => String.fromCharCode(65 + i));
    const byText = new Map(choices.map((choice, i) => [reduced(trim(String(choice))), `(${letters[i]})`]));
    const longestFirst = [...byText.keys()].sort((a, b) => b.length - a.length);
    const firstText = (answer: string) =>
      longestFirst
        .map((choice) => ({ choice, index: answer.indexOf(choice) }))
        .filter(({ index }) => index >= 0)
        .sort((a, b) => a.index - b.index)[0]?.choice;
    return answers.map((answer) => {
      const matched = find(answer);
      if (matched !== undefined && matched !== "") return matched;
      const choice = firstText(reduced(answer));
      if (choice !== undefined && choice !== "") return byText.get(choice)!;
      const letter = new RegExp(`:\\s*(${letters.join("|")})`, "u").exec(answer)?.[1];
      return letter === undefined ? ((options.fallback as string | undefined) ?? "[invalid]") : `(${letter})`;
    });
  };
}
