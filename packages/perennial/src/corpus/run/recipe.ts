/** What a corpus is made from and how: one object, validated, whose defaults are FineWeb2's. */
import { z } from "zod";
import { anonymizeSchema } from "../anonymize/index.ts";
import { duplicateSchema } from "../deduplicate/index.ts";
import { extractSchema } from "../extract/index.ts";
import { urlFilterSchema } from "../filter/index.ts";
import { identifySchema } from "../language/index.ts";
import { languageThresholdsSchema } from "../thresholds/index.ts";

export const corpusSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/)
    .default("corpus")
    .describe("name of the corpus, in its data card"),
  crawl: z.string().optional().describe("name of the crawl, kept as provenance"),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .describe("files, folders, globs or addresses: .warc(.gz), .wet(.gz), .jsonl(.gz|.zst), .parquet, .txt; each file is a shard"),
  maxRecordBytes: z.int().positive().default(200_000_000).describe("longer records are set aside"),
  urls: urlFilterSchema.prefault({}),
  extract: extractSchema.prefault({}),
  identify: identifySchema.optional().describe("absent: languages are those that the documents bring along"),
  languages: z
    .strictObject({
      keep: z.array(z.string()).optional().describe("labels such as kab_Latn; absent: all"),
      minScore: z
        .union([z.literal("fitted"), z.number().min(0).max(1)])
        .default("fitted")
        .describe("least score, or fitted per language"),
    })
    .prefault({}),
  deduplicate: duplicateSchema.nullable().prefault({ method: "minhash" }),
  earlier: z.string().optional().describe("folder of the run before this one, whose documents count as older"),
  thresholds: z
    .array(languageThresholdsSchema)
    .default([])
    .describe("filter thresholds by language; a language without any is not filtered"),
  repairMojibake: z.boolean().default(true),
  anonymize: anonymizeSchema.nullable().prefault({}),
  memoryBytes: z
    .int()
    .positive()
    .default(256 * 2 ** 20)
    .describe("memory of a sorting task"),
  checkpointItems: z.int().positive().default(1000).describe("records after which progress inside a shard is made safe"),
});
export type CorpusRecipe = z.output<typeof corpusSchema>;
export type CorpusRecipeInput = z.input<typeof corpusSchema>;
