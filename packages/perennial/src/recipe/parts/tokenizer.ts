/** The tokenizer: the model's own, bytes, one from a file, one trained on the corpora, or the model's own extended on them. */
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
  z.strictObject({
    extend: z
      .strictObject({
        newTokens: count(1).describe("tokens learnt at most; the model gets a row for each"),
        corpora: z.array(z.string()).nullable().default(null).describe("names of the corpora to learn from; null: all"),
        keep: z.array(z.string()).default([]).describe("names of the corpora whose text must keep its tokens"),
        maxBytes: count(1).prefault("100M").describe("bytes of text read per corpus"),
        initialization: z
          .enum(["mean", "subword-mean", "random-normal"])
          .default("subword-mean")
          .describe("rows of new tokens: the mean of all old rows, the mean of the rows of the token's old pieces, or drawn"),
      })
      .describe("extend the model's own tokenizer, and the model with it"),
  }),
]);
