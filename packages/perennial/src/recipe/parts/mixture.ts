/** What a stage trains on: shares of target tokens per corpus, and replay of old text within the same budget. */
import { z } from "zod";

const sourceSchema = z.strictObject({
  corpus: z.string().describe("name of a corpus"),
  share: z
    .number()
    .gt(0)
    .max(1)
    .nullable()
    .default(null)
    .describe("share of the new text's tokens; all sources have one and they sum to 1, or none has: then samplingTemperature decides"),
  maxEpochs: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe("how often the corpus may be repeated at most; null: as often as needed"),
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
});

export const mixtureSchema = z.strictObject({
  sources: z.array(sourceSchema).min(1).describe("the new text"),
  samplingTemperature: z
    .number()
    .positive()
    .default(1)
    .describe("without shares: share ∝ size^(1/temperature); 1 is proportional, larger is more even"),
  replay: replaySchema.nullable().default(null).describe("old text mixed in, so that it is not forgotten; null: none"),
  attention: z
    .enum(["inside-documents", "across-documents"])
    .default("inside-documents")
    .describe("whether packed documents see each other; inside: positions restart with each document"),
});
