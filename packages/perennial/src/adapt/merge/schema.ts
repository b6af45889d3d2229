/** What to merge, and how: the recipe of a merge. */
import { z } from "zod";

const path = z.string().min(1).describe("a Hugging Face model folder");
const weight = z.number().default(1).describe("weight of the model");
const density = z.number().gt(0).max(1).default(0.5).describe("share of the elements of the task vector that is kept, 0–1");
const scale = z.number().default(1).describe("multiplies the sum of the task vectors");
const models = z.array(z.strictObject({ path, weight })).min(1);
const sparseModels = z.array(z.strictObject({ path, weight, density })).min(1);

export const mergeSchema = z.discriminatedUnion("method", [
  z.strictObject({
    method: z.literal("linear"),
    models: models.min(2),
    normalize: z.boolean().default(true).describe("divide by the sum of the weights"),
  }),
  z.strictObject({
    method: z.literal("slerp"),
    models: z.tuple([path, path]),
    t: z.number().min(0).max(1).describe("0 is the first model, 1 the second"),
  }),
  z.strictObject({ method: z.literal("taskArithmetic"), base: path, models, scale }),
  z.strictObject({ method: z.literal("ties"), base: path, models: sparseModels, scale }),
  z.strictObject({
    method: z.literal("dare"),
    base: path,
    models: sparseModels,
    scale,
    seed: z.int().min(0).default(0).describe("decides which elements are kept"),
  }),
]);

export type MergeSpec = z.input<typeof mergeSchema>;
export type Merge = z.output<typeof mergeSchema>;
