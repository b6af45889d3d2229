/**
 * What a corpus is made from and how: one object, validated, whose defaults are FineWeb2's (arXiv 2506.20920). The fields stand in the
 * order in which a document passes them: read → urls, robots → extract → license → repair → identify → languages → deduplicate → filters
 * → symbol lines, personal data → write → rehydrate. Duplicates go before the filters run, because rehydration needs to know how many
 * documents of each cluster size the filters remove.
 */
import { z } from "zod";
import { anonymizeSchema } from "../anonymize/index.ts";
import { duplicateSchema } from "../deduplicate/index.ts";
import { extractSchema } from "../extract/index.ts";
import { urlFilterSchema } from "../filter/index.ts";
import { identifySchema } from "../language/index.ts";
import { CRAWL_AGENTS, licenseSchema } from "../robots/index.ts";
import { ADAPTATION_METHODS, languageThresholdsSchema } from "../thresholds/index.ts";
import { filterStepSchema } from "./filter-steps.ts";

const paths = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const inputSchema = z.union([
  z.string().min(1),
  z.strictObject({
    list: z.string().min(1).describe("file with a path or address a line, e.g. warc.paths.gz"),
    prefix: z.string().default("").describe("stands before each line, e.g. https://data.commoncrawl.org/"),
  }),
]);

export const readingSchema = z.strictObject({
  textField: z.string().min(1).default("text").describe("field that holds the text, in JSONL and Parquet"),
  idField: z.string().min(1).default("id").describe("field that holds the id"),
  textDocuments: z.enum(["file", "blank-lines", "dashes"]).default("file").describe("where a document of a plain text file ends"),
  maxRecordBytes: z.int().positive().default(200_000_000).describe("longer records are set aside"),
  maxTextBytes: z
    .int()
    .positive()
    .default(20_000_000)
    .describe("documents with more text are set aside: no filter would keep one, and measuring it takes minutes"),
  pagesPerShard: z.int().positive().default(1000).describe("HTML files that make one shard"),
  retries: z.int().min(0).max(100).default(3).describe("new tries of what cannot be read before it is set aside"),
  retrySeconds: z.number().min(0).default(1).describe("wait before the first of them; doubles each time"),
  endpoint: z.string().optional().describe("address of an S3-compatible store; absent: $AWS_ENDPOINT_URL_S3, else Amazon's"),
  region: z.string().optional().describe("absent: $AWS_REGION, else us-east-1"),
  signed: z
    .union([z.literal("auto"), z.boolean()])
    .default("auto")
    .describe("sign s3:// requests with $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY; auto: where they are set"),
});
export type ReadingSettings = z.output<typeof readingSchema>;

const groupSchema = (method: (typeof ADAPTATION_METHODS)[number], on: "crawl" | "reference") =>
  z
    .strictObject({
      method: z.enum(ADAPTATION_METHODS).default(method).describe("how the English threshold is carried over"),
      on: z.enum(["crawl", "reference"]).default(on).describe("text whose distribution counts: this crawl, or the clean reference"),
    })
    .prefault({});

export const fitSchema = z.strictObject({
  english: paths.describe("clean English text: JSONL, Parquet, text"),
  references: z.record(z.string(), paths).describe("clean text by language label, e.g. kab_Latn"),
  textField: z.string().min(1).default("text"),
  endHeadings: z
    .record(z.string(), z.array(z.string()))
    .default({})
    .describe("by label: headings after which an article has only notes and references"),
  maxDocuments: z.int().positive().default(100_000).describe("documents read of each reference"),
  gopherRepetition: groupSchema("meanStd", "crawl"),
  finewebQuality: groupSchema("tenTail", "reference"),
  gopherQuality: groupSchema("quantile", "reference"),
});
export type FitSettings = z.output<typeof fitSchema>;

export const thresholdsSchema = z.strictObject({
  given: z
    .array(z.union([z.string().min(1), languageThresholdsSchema]))
    .default([])
    .describe("thresholds of languages, or files of them as `perennial corpus thresholds` writes them"),
  fit: fitSchema.nullable().default(null).describe("fit the thresholds of languages during the run"),
  missing: z
    .enum(["keep", "english"])
    .default("keep")
    .describe("text of a language without thresholds: passes the filters that need them, or meets the English ones"),
});

const corpusShape = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/)
    .default("corpus")
    .describe("letters, digits, dots, dashes; name of the corpus, in its data card"),
  crawl: z.string().optional().describe("name of the crawl, kept as provenance"),
  inputs: z
    .array(inputSchema)
    .min(1)
    .describe("files, folders, globs or addresses (https, s3) of WARC, WET, HTML, JSONL, Parquet or text; each file is a shard"),
  output: z.string().optional().describe("folder of the run; absent: corpora/NAME beside the recipe"),
  reading: readingSchema.prefault({}).describe("how inputs are read"),
  urls: urlFilterSchema.prefault({}).describe("addresses to leave out; an entry @FILE stands for the lines of that file"),
  robots: z
    .strictObject({
      files: z.array(z.string().min(1)).min(1).describe("WARC files with robots.txt records, or folders of HOST.txt"),
      agents: z.array(z.string()).default([...CRAWL_AGENTS]),
    })
    .nullable()
    .default(null)
    .describe("drop pages that their host's robots.txt disallows"),
  extract: extractSchema.prefault({}).describe("main text of HTML pages"),
  license: licenseSchema.nullable().default(null).describe("keep only pages whose stated licence is accepted"),
  repair: z
    .strictObject({
      mojibake: z.boolean().default(true).describe("undo text that was decoded wrongly"),
      symbolLines: z.boolean().default(true).describe("runs of lines of nothing but | become one line break"),
    })
    .prefault({})
    .describe("mending of the text"),
  identify: identifySchema.optional().describe("absent: languages are those that the documents bring along"),
  languages: z
    .strictObject({
      keep: z.array(z.string()).optional().describe("labels such as kab_Latn; absent: all"),
      minScore: z
        .union([z.literal("fitted"), z.number().min(0).max(1)])
        .default("fitted")
        .describe("least score, or fitted per language"),
    })
    .prefault({})
    .describe("which languages go on, and above which score"),
  deduplicate: duplicateSchema.nullable().prefault({ method: "minhash" }).describe("near duplicates or exact ones, within each language"),
  earlier: z.string().optional().describe("folder of the run before this one, whose documents count as older"),
  score: z
    .strictObject({ medians: z.string().optional().describe("JSON file of medians by language label; absent: the published ones") })
    .nullable()
    .default(null)
    .describe("Web Docs Scorer, 0 to 10; needs identify"),
  thresholds: thresholdsSchema.prefault({}).describe("of the filters on numbers, by language; English has the published ones"),
  filters: z
    .array(filterStepSchema)
    .default([{ filter: "gopher-repetition" }, { filter: "fineweb-quality" }, { filter: "gopher-quality" }])
    .describe("in this order; the first that says drop ends it"),
  anonymize: anonymizeSchema.nullable().prefault({}).describe("personal data that is replaced; null: none"),
  personalDataOffsets: z.boolean().default(false).describe("mark e-mails, phones and IPs as ranges of code points (HPLT)"),
  rehydrate: z
    .strictObject({
      maxRepetitions: z.int().min(1).max(1000).default(10),
      window: z.int().min(1).max(99).default(5).describe("cluster sizes that are smoothed over; odd"),
    })
    .nullable()
    .default(null)
    .describe("repeat documents by the size of their cluster, into rehydrated/"),
  formats: z
    .array(z.enum(["jsonl.zst", "parquet"]))
    .min(1)
    .default(["jsonl.zst"])
    .describe("documents/ is always JSONL; parquet/ is made from it"),
  memoryBytes: z
    .int()
    .positive()
    .default(256 * 2 ** 20)
    .describe("memory of a sorting task"),
  checkpointItems: z.int().positive().default(1000).describe("records after which progress inside a shard is made safe"),
});

export const corpusSchema = corpusShape.superRefine((recipe, context) => {
  const wrong = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
  if (recipe.score && !recipe.identify) wrong(["score"], "identify beside it: lines need a language each");
  for (const [i, { filter }] of recipe.filters.entries())
    if (filter === "web-docs-score" && !recipe.score) wrong(["filters", i, "filter"], "score beside it, e.g. score: {}");
  if (recipe.rehydrate && !recipe.deduplicate)
    wrong(["rehydrate"], "deduplicate beside it: documents are repeated by the size of their cluster");
  if (recipe.rehydrate && recipe.rehydrate.window % 2 === 0) wrong(["rehydrate", "window"], "an odd number");
  if (recipe.earlier !== undefined && !recipe.deduplicate) wrong(["earlier"], "deduplicate beside it");
});
export type CorpusRecipe = z.output<typeof corpusSchema>;
export type CorpusRecipeInput = z.input<typeof corpusSchema>;
