/** The model to continue from (a Hugging Face folder), or the shape of a fresh one. */
import { z } from "zod";

export const freshModelSchema = z.strictObject({
  hiddenSize: z.int().min(1).describe("width D of the residual stream"),
  numHiddenLayers: z.int().min(1).describe("number of layers L"),
  numAttentionHeads: z.int().min(1).describe("query heads H; divides hiddenSize unless headDim is given"),
  numKeyValueHeads: z.int().min(1).nullable().default(null).describe("key and value heads K, a divisor of H; null: as many as H"),
  headDim: z.int().min(2).nullable().default(null).describe("width E of a head; null: hiddenSize / numAttentionHeads"),
  intermediateSize: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("width F of the MLP; null: 8/3 · hiddenSize, rounded up to a multiple of 64"),
  maxPositionEmbeddings: z.int().min(1).default(2048).describe("longest sequence in tokens"),
  ropeTheta: z.number().positive().default(10_000).describe("base of the rotary angles"),
  rmsNormEps: z.number().positive().default(1e-5).describe("added under the root in RMSNorm"),
  tieWordEmbeddings: z.boolean().default(true).describe("whether the output layer shares its weights with the embedding"),
  attentionBias: z.boolean().default(false).describe("biases on the query, key and value projections, as in Qwen 2"),
  initializerRange: z.number().positive().default(0.02).describe("standard deviation of fresh weights"),
});

export const modelSchema = z.union([
  z.string().min(1).describe("a Hugging Face model folder, relative to the recipe"),
  freshModelSchema.describe("a fresh model of this shape"),
]);
