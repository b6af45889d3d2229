/**
 * What stands before the question: description, then examples, then the question itself; as plain text
 *   context = description + Σ (text + targetDelimiter + answer + fewshotDelimiter) + text
 * or as the turns of a conversation.
 * A `gen_prefix` begins the answers, and ends the context. Delimiters of examples are those of `fewshot_config` where it has its own.
 * Examples are drawn by Python's `random.sample` from one generator per task, question after question, as lm-evaluation-harness draws them;
 * if examples and questions are of the same split, one more is drawn and the question itself left out.
 */
import { isDeepStrictEqual } from "node:util";
import { FieldError } from "../../errors.ts";
import type { TaskConfig } from "./config.ts";
import type { Doc, Split } from "./data.ts";
import { type DocumentReader, documentReader, fieldOrTemplate, type Target } from "./document.ts";
import { type PromptStyle, plainText, type Turn } from "./prompt-style.ts";
import { PythonRandom } from "./python/random.ts";

export interface FewshotOptions {
  readonly numFewshot: number;
  /** Default 1234, the harness'. */
  readonly seed: number;
  /** Default: plain text. */
  readonly style?: PromptStyle | undefined;
}

/** Contexts of the questions, which must be asked for in their order. One context, or one per choice where the choices are the inputs. */
export function contextBuilder(
  config: TaskConfig,
  questions: DocumentReader,
  examples: Split,
  { numFewshot, seed, style = plainText }: FewshotOptions,
): (doc: Doc) => string | string[] {
  const describe = fieldOrTemplate(config.description, config.at("description"));
  const exampleReader = documentReader(config.fewshot, examples.features, (field) => config.at(`fewshot_config.${field}`));
  const sample = sampler(config, examples.docs, seed);
  const shots = (doc: Doc) =>
    sample(numFewshot, config.fewshotSplit === config.testSplit ? doc : undefined).flatMap((example) =>
      exampleTurns(config, exampleReader, example),
    );
  return (doc) => {
    const system = joined(style.system ?? "", describe(doc), config.fewshotDelimiter);
    const before: Turn[] = [
      ...(system === "" ? [] : [{ role: "system", content: system, delimiter: "" } as const]),
      ...(numFewshot > 0 ? shots(doc) : []),
    ];
    const text = questions.text(doc);
    const prefix = questions.genPrefix(doc) ?? "";
    const context = (question: string, delimiter: string) =>
      style.render([...before, ...turnsOf(question, "", prefix, { delimiter, end: "" })]);
    if (typeof text === "number") return (questions.choices(doc) ?? []).map((choice) => context(choice, ""));
    return context(text, config.targetDelimiter);
  };
}

/** A question and its answer, which `prefix` begins; without an answer, the question and the beginning of one where there is one. */
function turnsOf(text: string, answer: string, prefix: string, { delimiter, end }: { delimiter: string; end: string }): Turn[] {
  const needed = prefix === "" ? answer !== "" : text !== "" && !touching(text, prefix);
  const turns: Turn[] = [{ role: "user", content: text, delimiter: needed ? delimiter : "" }];
  if (answer !== "") turns.push({ role: "assistant", content: joined(prefix, answer, " "), delimiter: end });
  else if (prefix !== "") turns.push({ role: "assistant", content: prefix, delimiter: "" });
  return turns;
}

function exampleTurns(config: TaskConfig, reader: DocumentReader, doc: Doc): Turn[] {
  const { targetDelimiter: delimiter, fewshotDelimiter: end } = config.fewshot;
  const choices = reader.choices(doc);
  const number = reader.text(doc);
  const chosen = typeof number === "number"; // the choices are the inputs, the target is the text
  const text = chosen ? choices?.[number] : number;
  const answer = answerText(reader.target(doc), chosen ? undefined : choices);
  if (typeof text !== "string" || answer === undefined)
    throw new FieldError("TASK_FEWSHOT", {
      at: config.at("doc_to_target"),
      expected: "a text, or the number of a choice, as the answer of an example",
      received: reader.target(doc),
    });
  return turnsOf(text, answer, reader.genPrefix(doc) ?? "", { delimiter, end });
}

/** Two texts with a delimiter between them, unless one is empty or there is whitespace already. */
function joined(before: string, after: string, delimiter: string): string {
  return before === "" || after === "" || touching(before, after) ? before + after : before + delimiter + after;
}

/** The text of an answer; undefined where it has none. Of several the first. */
export function answerText(target: Target, choices: readonly string[] | undefined): string | undefined {
  const first = typeof target === "object" ? target[0] : target;
  if (typeof first === "number") return typeof target === "number" ? choices?.[first] : undefined;
  return first;
}

/** Whether there is whitespace where the two meet. */
const touching = (before: string, after: string) => /\s$/.test(before) || /^\s/.test(after);

function sampler(config: TaskConfig, docs: readonly Doc[], seed: number): (count: number, question: Doc | undefined) => readonly Doc[] {
  const enough = (found: readonly Doc[], count: number) => {
    if (found.length < count)
      throw new FieldError("TASK_FEWSHOT", {
        at: config.at("num_fewshot"),
        expected: `at most ${found.length} examples, since there are no more`,
        received: count,
      });
    return found.slice(0, count);
  };
  const others = (all: readonly Doc[], question: Doc) => all.filter((doc) => !isDeepStrictEqual(doc, question));
  if (config.fewshot.sampler === "first_n")
    return (count, question) => enough(question === undefined ? docs : others(docs, question), count);
  const random = new PythonRandom(seed);
  return (count, question) => {
    enough(docs, question === undefined ? count : count + 1);
    if (question === undefined) return random.sample(docs, count);
    const drawn = others(random.sample(docs, count + 1), question);
    if (drawn.length >= count) return drawn.slice(0, count);
    const pool = others(docs, question); // copies of the question were drawn
    enough(pool, count);
    return random.sample(pool, count);
  };
}
