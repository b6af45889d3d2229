/** What to merge, and how: the recipe of a merge. */
import { z } from "zod";
import { settingOf } from "./setting.ts";

const path = z.string().min(1).describe("a Hugging Face model folder");
const share = z.number().min(0).max(1);
const weight = settingOf(z.number(), "a number").default(1).describe("weight of the model");
const density = settingOf(share, "a number from 0 to 1")
  .default(0.5)
  .describe("share of the elements of the task vector that is kept, 0–1");
const scale = settingOf(z.number(), "a number").default(1).describe("multiplies the sum of the task vectors");
const models = z.array(z.strictObject({ path, weight })).min(1);
const sparseModels = z.array(z.strictObject({ path, weight, density })).min(1);

export const mergeDtypes = ["float32", "float16", "bfloat16"] as const;
const output = {
  dtype: z.enum(mergeDtypes).optional().describe("type of the merged weights; default: those of the base, or of the first model"),
  tokenizer: path.optional().describe("the one of the models whose tokenizer the merged model gets, although others have other ones"),
  maxShardBytes: z.int().positive().optional().describe("largest file; default: files as in the base, or in the first model"),
};

export const mergeSchema = z.discriminatedUnion("method", [
  z.strictObject({
    method: z.literal("linear"),
    models: models.min(2),
    normalize: z.boolean().default(true).describe("divide by the sum of the weights"),
    ...output,
  }),
  z.strictObject({
    method: z.literal("slerp"),
    models: z.tuple([path, path]),
    t: settingOf(share, "a number from 0 to 1").describe("0 is the first model, 1 the second"),
    ...output,
  }),
  z.strictObject({ method: z.literal("taskArithmetic"), base: path, models, scale, ...output }),
  z.strictObject({ method: z.literal("ties"), base: path, models: sparseModels, scale, ...output }),
  z.strictObject({
    method: z.literal("dare"),
    base: path,
    models: sparseModels,
    scale,
    rescale: z
      .enum(["density", "l1", "none"])
      .default("density")
      .describe("how what is kept is stretched: divided by the density, to the sum of magnitudes as before, or not"),
    elect: z.boolean().default(false).describe("elements count where they have the sign that outweighs the other, as in TIES"),
    seed: z.int().min(0).default(0).describe("decides which elements are kept"),
    ...output,
  }),
]);

export type MergeSpec = z.input<typeof mergeSchema>;
export type Merge = z.output<typeof mergeSchema>;
