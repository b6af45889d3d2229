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
import { bitextFilterSchema, bitextJudge, lexiconCoverage, type SentencePair } from "./bitext-filter.ts";
import { learnLexicon } from "./lexicon.ts";
import type { ParallelDocument, ParallelFormat } from "./parallel.ts";
import { parallelSelectionSchema, type ScoredTranslation, selectParallel } from "./parallel-selection.ts";
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
  scoreField: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("field with how good a translation the pair is, 0 to 1, e.g. of a sentence encoder or a quality estimator"),
  filter: bitextFilterSchema
    .extend({
      similarity: z
        .enum(["score", "lexicon", "none"])
        .describe(
          "score: that of `scoreField`; lexicon: coverage by a lexicon learned from these very pairs; none: lengths and copies only",
        ),
      minSimilarity: bitextFilterSchema.shape.minSimilarity
        .unwrap()
        .optional()
        .describe("similarity below which a pair is no translation; default 0.7 for scores, 0.3 for the lexicon"),
    })
    .nullable()
    .default(null)
    .describe("drops pairs that are no translations of each other; null: none"),
  select: parallelSelectionSchema
    .nullable()
    .default(null)
    .describe("takes the best pairs by `scoreField`, repeats few; records of one line each; null: all as they come"),
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

export interface ParallelRecord {
  /** Of the two languages; lines are aligned. */
  readonly texts: readonly [string | undefined, string | undefined];
  readonly score: number | undefined;
}

/** A lexicon is learned from so many pairs at most. */
const MAX_LEXICON_PAIRS = 200_000;

/**
 * Documents of aligned records. One-line records are gathered, longer ones are documents of their own. Records are gone through once, and
 * once more where a lexicon is learned from them; a selection holds all pairs in memory.
 */
export async function* parallelDocuments(
  records: () => AsyncIterable<ParallelRecord>,
  transform: ParallelTransform,
  counts: TransformCounts,
): AsyncGenerator<string> {
  const { fields, format, pairsPerDocument, seed, scoreField, select, filter } = transform;
  const [source, target] = Object.values(fields) as [string, string];
  if (scoreField === null && (select !== null || filter?.similarity === "score"))
    throw new FieldError("TRANSFORM_SCORE", { at: "transform.scoreField", expected: "the field of the scores", received: null });
  const document = (pairs: readonly Pair[]) => {
    const aligned: ParallelDocument = {
      source: { language: source, segments: pairs.map(([x]) => x) },
      target: { language: target, segments: pairs.map(([, y]) => y) },
    };
    return FORMATS[format](aligned, stream(seed, `parallel document ${counts.documents++}`));
  };
  const judge = filter === null ? undefined : await judgeOf(filter, records);
  const aligned = alignedRecords(records(), counts, judge);
  let gathered: Pair[] = [];
  for await (const { pairs, isPage } of select === null ? aligned : selected(aligned, select, counts)) {
    if (isPage) yield document(pairs);
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

type Pair = readonly [string, string];

interface AlignedRecord {
  readonly pairs: readonly Pair[];
  /** Several lines that belong together. */
  readonly isPage: boolean;
  readonly score: number | undefined;
}

type Judge = (pair: Pair, score: number | undefined) => string | null;

async function judgeOf(filter: NonNullable<ParallelTransform["filter"]>, records: () => AsyncIterable<ParallelRecord>): Promise<Judge> {
  const { similarity, minSimilarity = similarity === "lexicon" ? 0.3 : 0.7, ...spec } = filter;
  let score = Number.NaN;
  const measures = {
    score: () => score,
    none: () => 1,
    lexicon: similarity === "lexicon" ? lexiconCoverage(learnLexicon(await pairsForLexicon(records()))) : () => 0,
  };
  const reasonAgainst = bitextJudge({ similarity: measures[similarity] }, { ...spec, minSimilarity });
  return ([x, y], given) => {
    score = given ?? Number.NaN;
    return reasonAgainst({ source: x, target: y });
  };
}

async function pairsForLexicon(records: AsyncIterable<ParallelRecord>): Promise<SentencePair[]> {
  const found: SentencePair[] = [];
  for await (const { pairs } of alignedRecords(records, { records: 0, documents: 0, dropped: {} }, undefined)) {
    found.push(...pairs.map(([x, y]) => ({ source: x, target: y })));
    if (found.length >= MAX_LEXICON_PAIRS) break;
  }
  return found;
}

const drop = ({ dropped }: TransformCounts, reason: string, count = 1) => {
  dropped[reason] = (dropped[reason] ?? 0) + count;
};

async function* alignedRecords(
  records: AsyncIterable<ParallelRecord>,
  counts: TransformCounts,
  judge: Judge | undefined,
): AsyncGenerator<AlignedRecord> {
  for await (const { texts, score } of records) {
    counts.records++;
    const [x, y] = texts;
    if (x === undefined || y === undefined) {
      drop(counts, "missing field");
      continue;
    }
    const sides = [x, y].map((text) => text.split(/\r?\n/)) as [string[], string[]];
    if (sides[0].length !== sides[1].length) {
      drop(counts, "lines that do not match");
      continue;
    }
    const all = sides[0].map((line, i): Pair => [line.trim(), sides[1][i]!.trim()]).filter(([a, b]) => a !== "" && b !== "");
    const pairs = all.filter((pair) => {
      const reason = judge?.(pair, score) ?? null;
      if (reason !== null) drop(counts, reason);
      return reason === null;
    });
    if (all.length === 0) drop(counts, "empty");
    else if (pairs.length > 0) yield { pairs, isPage: sides[0].length > 1, score };
  }
}

/** The best pairs, as often as the selection says. */
async function* selected(
  records: AsyncIterable<AlignedRecord>,
  spec: NonNullable<ParallelTransform["select"]>,
  counts: TransformCounts,
): AsyncGenerator<Pick<AlignedRecord, "pairs" | "isPage">> {
  const scored: ScoredTranslation[] = [];
  for await (const { pairs, isPage, score } of records) {
    if (isPage) drop(counts, "several lines under one score");
    else if (score === undefined) drop(counts, "missing score");
    else scored.push({ source: pairs[0]![0], target: pairs[0]![1], score });
  }
  const { pairs, repeats, dropped } = selectParallel(scored, spec);
  for (const [reason, count] of Object.entries(dropped))
    if (count > 0) drop(counts, SELECTION_REASONS[reason as keyof typeof dropped], count);
  for (let turn = 0; turn < repeats; turn++) for (const { source, target } of pairs) yield { pairs: [[source, target]], isPage: false };
}

const SELECTION_REASONS = {
  tooShort: "too short",
  tooLong: "too long",
  lowScore: "score below the level",
  overMaximum: "beyond the most pairs",
} as const;
