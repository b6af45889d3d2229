/** The filters that a recipe can list, each with its own options; `languages` restricts one to some labels. */
import { z } from "zod";
import { c4BadWordsSchema, c4ParagraphSchema, c4QualitySchema, secretsSchema } from "../filter/index.ts";
import { precisionSchema } from "../precision/index.ts";
import { hpltSchema, webDocsScoreSchema } from "../score/index.ts";

const languages = z.array(z.string()).min(1).optional().describe("labels that it is applied to; absent: all");

/** Filters on numbers, whose thresholds belong to the language (`thresholds`). */
export const THRESHOLD_FILTERS = ["gopher-repetition", "fineweb-quality", "gopher-quality"] as const;
export type ThresholdFilter = (typeof THRESHOLD_FILTERS)[number];

const step = <Name extends string, Shape extends z.ZodRawShape>(filter: Name, shape: Shape, about: string) =>
  z.strictObject({ filter: z.literal(filter).describe(about), languages, ...shape });

export const filterStepSchema = z.discriminatedUnion("filter", [
  step("gopher-repetition", {}, "repeated lines, paragraphs and word n-grams; thresholds of the language"),
  step("fineweb-quality", {}, "lists and menus; thresholds of the language"),
  step("gopher-quality", {}, "what is not running text; thresholds of the language"),
  step("c4-quality", c4QualitySchema.shape, "line by line: punctuation, length, code, policies; rewrites the text"),
  step("c4-paragraph", c4ParagraphSchema.shape, "three long paragraphs at least"),
  step("c4-bad-words", c4BadWordsSchema.shape, "word lists by language; an entry @FILE stands for the lines of that file"),
  step("secrets", secretsSchema.shape, "documents that hold a known key or password"),
  step("hplt", hpltSchema.shape, "adult hosts, words per line, length"),
  step("web-docs-score", webDocsScoreSchema.shape, "least Web Docs Score; needs `score`"),
  step(
    "precision",
    {
      lists: z
        .array(precisionSchema)
        .min(1)
        .describe("words and URL signs of each language; an entry @FILE stands for the lines of that file"),
      minContamination: z.number().min(0).max(1).default(0.1).describe("a language is filtered only if more than this share would go"),
    },
    "low-resource languages: a document must hold a word that is theirs",
  ),
]);
export type FilterStep = z.output<typeof filterStepSchema>;
export type FilterStepOf<Name extends FilterStep["filter"]> = Extract<FilterStep, { filter: Name }>;
