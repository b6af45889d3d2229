/**
 * What stands before the question: description, then examples, then the question itself.
 *   context = description + Σ (text + targetDelimiter + answer + fewshotDelimiter) + text
 * A `gen_prefix` begins the answers, and ends the context. Delimiters of examples are those of `fewshot_config` where it has its own.
 * Examples are drawn by Python's `random.sample` from one generator per task, question after question, as lm-evaluation-harness draws them;
 * if examples and questions are of the same split, one more is drawn and the question itself left out.
 */
import { isDeepStrictEqual } from "node:util";
import { FieldError } from "../../errors.ts";
import type { TaskConfig } from "./config.ts";
import type { Doc, Split } from "./data.ts";
import { type DocumentReader, documentReader, fieldOrTemplate, type Target } from "./document.ts";
import { PythonRandom } from "./python/random.ts";

export interface FewshotOptions {
  readonly numFewshot: number;
  /** Default 1234, the harness'. */
  readonly seed: number;
}

/** Contexts of the questions, which must be asked for in their order. One context, or one per choice where the choices are the inputs. */
export function contextBuilder(
  config: TaskConfig,
  questions: DocumentReader,
  examples: Split,
  { numFewshot, seed }: FewshotOptions,
): (doc: Doc) => string | string[] {
  const describe = fieldOrTemplate(config.description, config.at("description"));
  const exampleReader = documentReader(config.fewshot, examples.features, (field) => config.at(`fewshot_config.${field}`));
  const sample = sampler(config, examples.docs, seed);
  const shots = (doc: Doc) =>
    sample(numFewshot, config.fewshotSplit === config.testSplit ? doc : undefined).map((example) =>
      exampleTurn(config, exampleReader, example),
    );
  return (doc) => {
    const before = describe(doc) + (numFewshot > 0 ? shots(doc).join("") : "");
    const text = questions.text(doc);
    const prefix = questions.genPrefix(doc);
    if (typeof text === "number") return (questions.choices(doc) ?? []).map((choice) => before + opened(choice, prefix, ""));
    return before + opened(text, prefix, config.targetDelimiter);
  };
}

/** A question, and the beginning of its answer where there is one. */
function opened(text: string, prefix: string | undefined, delimiter: string): string {
  if (prefix === undefined || prefix === "") return text;
  return text + (text !== "" && !touching(text, prefix) ? delimiter : "") + prefix;
}

function exampleTurn(config: TaskConfig, reader: DocumentReader, doc: Doc): string {
  const { targetDelimiter, fewshotDelimiter } = config.fewshot;
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
  const prefix = reader.genPrefix(doc);
  const hasPrefix = prefix !== undefined && prefix !== "";
  if (answer === "") return hasPrefix ? opened(text, prefix, targetDelimiter) : text;
  const between = !hasPrefix || (text !== "" && !touching(text, prefix)) ? targetDelimiter : "";
  return text + between + (hasPrefix ? prefix + (touching(prefix, answer) ? "" : " ") : "") + answer + fewshotDelimiter;
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
