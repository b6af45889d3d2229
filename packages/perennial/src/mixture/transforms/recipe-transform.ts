/**
 * What is made of a corpus's records before they are tokenized, as a recipe says it.
 *    parallel    two fields with aligned text → one document in a bilingual format (`bilingual.ts`, `templates.ts`)
 *    questions   snippets of text → question–answer documents, through a generator (`synthetic-questions.ts`, `cloze.ts`)
 *  Random choices of a record depend on its number and the seed alone, so that the same records give the same documents.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";
import { bilingualLines, concatenation, interlinear } from "./bilingual.ts";
import type { ParallelDocument, ParallelFormat } from "./parallel.ts";
import { templated } from "./templates.ts";

export const parallelTransformSchema = z.strictObject({
  transform: z.literal("parallel").describe("pairs of aligned text, one document of both languages each"),
  format: z
    .enum(["lines", "concatenation", "interlinear", "templates"])
    .default("lines")
    .describe(
      "lines: language names and sentences, pair by pair; concatenation: all of one language, then all of the other; interlinear: line by line; templates: Marco-LLM's eleven",
    ),
  fields: z
    .record(z.string().min(1), z.string().min(1))
    .refine((fields) => Object.keys(fields).length === 2, "exactly two fields")
    .describe("field of the record → English name of its language, e.g. { en: English, eu: Basque }; lines of both are aligned"),
  pairsPerDocument: z.int().min(1).default(8).describe("records of one line each that are gathered into a document"),
  seed: z.int().min(0).default(1).describe("of directions and templates"),
});

export const questionTransformSchema = z.strictObject({
  transform: z.literal("questions").describe("synthetic questions and answers about snippets of the text"),
  generator: z
    .discriminatedUnion("generator", [
      z.strictObject({ generator: z.literal("cloze").describe("no model: a sentence with a gap, and the word that fills it") }),
      z.strictObject({
        generator: z.literal("answers").describe("finished generations, in the order of the snippets"),
        path: z.string().min(1).describe("JSONL with a field `text` each, relative to the recipe"),
      }),
      z.strictObject({
        generator: z.literal("model").describe("a model of this library"),
        path: z.string().min(1).describe("a model folder, relative to the recipe"),
        maxNewTokens: z.int().min(1).default(256).describe("length of a generation in tokens"),
        temperature: z.number().min(0).default(0.7).describe("0 is greedy"),
      }),
    ])
    .default({ generator: "cloze" })
    .describe("where questions come from"),
  snippetCharacters: z.int().min(50).default(600).describe("of each document, its beginning: what a question is about"),
  corrupt: z.number().min(0).max(1).default(0).describe("share of the questions that get another one's answer, to see what errors do"),
  seed: z.int().min(0).default(1).describe("of gaps and of corruption"),
});

export const transformSchema = z.discriminatedUnion("transform", [parallelTransformSchema, questionTransformSchema]);
export type ParallelTransform = z.output<typeof parallelTransformSchema>;
export type QuestionTransform = z.output<typeof questionTransformSchema>;

/** Pairs of a templated document stand on lines of their own, with an empty one between them. */
const TEMPLATE_SEPARATOR = "\n\n";

const FORMATS: Readonly<Record<ParallelTransform["format"], ParallelFormat>> = {
  lines: bilingualLines,
  concatenation,
  interlinear,
  templates: templated(TEMPLATE_SEPARATOR),
};

/** What became of the records. */
export interface TransformCounts {
  records: number;
  documents: number;
  /** By reason. */
  dropped: Record<string, number>;
}

/** Documents of aligned records; `records`: the two fields of each. One-line records are gathered, longer ones are documents of their own. */
export async function* parallelDocuments(
  records: AsyncIterable<readonly [string | undefined, string | undefined]>,
  { fields, format, pairsPerDocument, seed }: ParallelTransform,
  counts: TransformCounts,
): AsyncGenerator<string> {
  const [source, target] = Object.values(fields) as [string, string];
  let gathered: [string, string][] = [];
  const document = (pairs: readonly (readonly [string, string])[]) => {
    const aligned: ParallelDocument = {
      source: { language: source, segments: pairs.map(([x]) => x) },
      target: { language: target, segments: pairs.map(([, y]) => y) },
    };
    return FORMATS[format](aligned, stream(seed, `parallel document ${counts.documents++}`));
  };
  const drop = (reason: string) => {
    counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1;
  };
  for await (const [x, y] of records) {
    counts.records++;
    if (x === undefined || y === undefined) {
      drop("missing field");
      continue;
    }
    const sides = [x, y].map((text) => text.split(/\r?\n/)) as [string[], string[]];
    if (sides[0].length !== sides[1].length) {
      drop("lines that do not match");
      continue;
    }
    const pairs = sides[0].map((line, i): [string, string] => [line.trim(), sides[1][i]!.trim()]).filter(([a, b]) => a !== "" && b !== "");
    if (pairs.length === 0) drop("empty");
    else if (sides[0].length > 1) yield document(pairs);
    else if (gathered.push(...pairs) >= pairsPerDocument) {
      yield document(gathered);
      gathered = [];
    }
  }
  if (gathered.length > 0) yield document(gathered);
  if (counts.documents === 0)
    throw new FieldError("TRANSFORM_EMPTY", {
      at: "transform",
      expected: `records with the fields ${Object.keys(fields).join(" and ")}, aligned line by line`,
      received: counts.dropped,
    });
}
