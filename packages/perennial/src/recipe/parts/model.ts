/** The model to continue from (a Hugging Face folder), or the shape of a fresh one. */
import { z } from "zod";

/** What is not given follows from the rest; the model's own configuration (`decoderConfig`) has those defaults. */
export const freshModelSchema = z.strictObject({
  hiddenSize: z.int().min(1).describe("width D of the residual stream"),
  numHiddenLayers: z.int().min(1).describe("number of layers L"),
  numAttentionHeads: z.int().min(1).describe("query heads H; divides hiddenSize unless headDim is given"),
  numKeyValueHeads: z.int().min(1).optional().describe("key and value heads K, a divisor of H; otherwise as many as H"),
  headDim: z.int().min(2).optional().describe("width E of a head; otherwise hiddenSize / numAttentionHeads"),
  intermediateSize: z.int().min(1).optional().describe("width F of the MLP; otherwise 8/3 · hiddenSize, rounded up to a multiple of 8"),
  maxPositionEmbeddings: z.int().min(1).optional().describe("longest sequence in tokens; otherwise 2048"),
  ropeTheta: z.number().positive().optional().describe("base of the rotary angles; otherwise 10000"),
  rmsNormEps: z.number().positive().optional().describe("added under the root in RMSNorm; otherwise 1e-5"),
  tieWordEmbeddings: z.boolean().optional().describe("whether the output layer shares its weights with the embedding; otherwise true"),
  attentionBias: z.boolean().optional().describe("biases on the query, key and value projections, as in Qwen 2; otherwise false"),
  slidingWindow: z.int().min(1).optional().describe("positions that each position sees, itself included; otherwise all before it"),
  initializerRange: z.number().positive().optional().describe("standard deviation of fresh weights; otherwise 0.02"),
});

export const modelSchema = z.union([
  z.string().min(1).describe("a Hugging Face model folder, relative to the recipe"),
  freshModelSchema.describe("a fresh model of this shape"),
]);
