/** A corpus: where its text lies, and which part of it is never trained on. */
import { z } from "zod";
import { transformSchema } from "../../mixture/transforms/recipe-transform.ts";
import { count } from "./units.ts";

const heldOutSchema = z.union([
  z.literal("none"),
  z.strictObject({ path: z.string().min(1).describe("files of their own: nothing is taken from the training text") }),
  z.strictObject({ share: z.number().gt(0).max(0.5).describe("share of the documents, chosen by the hash of their text") }),
  z.strictObject({ bytes: count(1).describe("about this many bytes of text, chosen by the hash of the documents") }),
]);

export const corpusSchema = z.strictObject({
  path: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe("file, folder or glob (or a list): JSONL, .gz, .zst, Parquet, plain text; relative to the recipe"),
  textField: z.string().min(1).default("text").describe("field that holds the text, in JSONL and Parquet"),
  transform: transformSchema
    .nullable()
    .default(null)
    .describe("what is made of the records first: bilingual documents, questions; null: nothing"),
  language: z.string().nullable().default(null).describe("BCP-47 tag such as kab-Latn; reports group by it"),
  heldOut: heldOutSchema
    .prefault({ share: 0.02 })
    .describe("what evaluation reads: set aside from the corpus, files of their own, or `none`"),
});
