/** The tokenizer: the model's own, bytes, one from a file, or one trained on the corpora. */
import { z } from "zod";
import { count } from "./units.ts";

export const tokenizerSchema = z.union([
  z.string().min(1).describe("`model` (the one in the model folder), `bytes`, or the path of a tokenizer.json, relative to the recipe"),
  z.strictObject({
    train: z
      .strictObject({
        vocabSize: count(257).describe("entries of the vocabulary, special tokens included"),
        corpora: z.array(z.string()).nullable().default(null).describe("names of the corpora to learn from; null: all"),
        maxBytes: count(1).prefault("100M").describe("bytes of text read per corpus"),
      })
      .describe("train a byte-level BPE"),
  }),
]);
