/** What a stage trains on: shares of target tokens per corpus, and replay of old text within the same budget. */
import { z } from "zod";
import { relatedOrderSchema } from "../../mixture/order/related-schema.ts";
import { curriculumSchema } from "../../mixture/sampling-weights/curriculum.ts";
import { samplingSchema } from "../../mixture/sampling-weights/recipe-sampling.ts";

const orderSchema = z.union([
  z
    .enum(["shuffled", "sequential"])
    .describe("shuffled: sequences in a new order each pass; sequential: a corpus that is ordered on purpose keeps its order"),
  z
    .strictObject({
      order: z.literal("perplexity").describe("documents by the perplexity of the model that the recipe starts from, scored once"),
      direction: curriculumSchema.shape.order,
    })
    .describe("a curriculum"),
  z
    .strictObject({
      order: z.literal("related").describe("related documents next to each other, each once; near copies are left out"),
      ...relatedOrderSchema.omit({ seed: true }).shape,
    })
    .describe("in-context pre-training; needs attention: across-documents and packing: concatenate"),
]);

const sourceSchema = z.strictObject({
  corpus: z.string().describe("name of a corpus"),
  share: z
    .number()
    .gt(0)
    .max(1)
    .nullable()
    .default(null)
    .describe("share of the new text's tokens; all sources have one and they sum to 1, or none has: then sampling decides"),
  maxEpochs: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("how often the corpus may be repeated at most; null: as often as needed"),
  group: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("what sampling counts the source as: monolingual, bilingual or code in a layout, or a group of your own"),
  order: orderSchema.default("shuffled").describe("in which order the corpus is read"),
});

const changeSchema = z.strictObject({
  step: z.int().min(1).describe("step of the stage from which the shares hold"),
  shares: z.record(z.string(), z.number().min(0)).describe("corpus → share, against the others; a corpus that is not named has none"),
  overSteps: z.int().min(0).default(0).describe("steps over which the shares are reached in a straight line; 0: at once"),
});

const replaySchema = z.strictObject({
  corpora: z.array(z.string()).min(1).describe("names of the old corpora, replayed in proportion to their size"),
  share: z
    .number()
    .min(0)
    .lt(1)
    .default(0.05)
    .describe(
      "fraction of each step's tokens that is old text; the budget stays the same (5 % for a weak shift, 25 % for another language)",
    ),
  maxEpochs: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("how often the old text may be repeated at most; null: as often as needed"),
  order: z.enum(["shuffled", "original"]).default("shuffled").describe("original: as the earlier stage drew it"),
});

export const mixtureSchema = z.strictObject({
  sources: z.array(sourceSchema).min(1).describe("the new text"),
  sampling: samplingSchema
    .prefault({ sampling: "temperature" })
    .describe("how much of each source, where sources have no shares: by size, unimax, layouts, groups, topics"),
  replay: replaySchema.nullable().default(null).describe("old text mixed in, so that it is not forgotten; null: none"),
  changes: z.array(changeSchema).default([]).describe("shares that change during the stage, replayed corpora included"),
  attention: z
    .enum(["within-documents", "across-documents"])
    .default("within-documents")
    .describe("whether packed documents see each other; within: positions restart with each document"),
  packing: z
    .enum(["concatenate", "best-fit"])
    .default("concatenate")
    .describe(
      "concatenate: one long row, cut every sequenceLength tokens; best-fit: fewer documents are cut, at the price of some padding",
    ),
});
