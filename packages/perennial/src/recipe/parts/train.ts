/** How a stage trains: its budget, the shape of a step, the optimizer and the schedule of its learning rate. */
import { z } from "zod";
import { scheduleSchema } from "../../train/schedule/index.ts";
import { experienceSchema } from "./experience.ts";
import { count } from "./units.ts";

const optimizerSchema = z.strictObject({
  name: z.literal("adamw").default("adamw").describe("Adam with decoupled weight decay"),
  beta1: z.number().min(0).lt(1).default(0.9).describe("decay of the first moment"),
  beta2: z.number().min(0).lt(1).default(0.95).describe("decay of the second moment"),
  eps: z.number().positive().default(1e-8).describe("added to the root of the second moment"),
  weightDecay: z.number().min(0).default(0.1).describe("decay of matrices; norms and biases have none"),
});

const newRowsSchema = z.strictObject({
  learningRateScale: z.number().positive().default(1).describe("multiplies the schedule's learning rate for the rows of new tokens"),
  aloneSteps: z
    .union([z.int().min(0), z.literal("all")])
    .default(0)
    .describe("first optimizer steps of the stage in which these rows alone move; all: nothing else moves in the stage"),
});

export const trainSchema = z.strictObject({
  tokens: count(1).optional().describe("budget in target tokens, replay included; this or steps"),
  steps: count(1).optional().describe("budget in optimizer steps; this or tokens"),
  sequenceLength: z.int().min(2).default(512).describe("tokens of a packed sequence"),
  microBatchSize: z.int().min(1).default(8).describe("sequences per device and pass"),
  gradientAccumulationSteps: z.int().min(1).optional().describe("passes per optimizer step, 1 when nothing is said; this or tokensPerStep"),
  tokensPerStep: count(1).optional().describe("tokens per optimizer step over all devices; this or gradientAccumulationSteps"),
  schedule: scheduleSchema.prefault({ schedule: "cosine", maxLearningRate: 3e-4 }).describe("learning rate over the steps of the stage"),
  optimizer: optimizerSchema.prefault({}).describe("how gradients become updates"),
  newRows: newRowsSchema
    .nullable()
    .default(null)
    .describe("rows of tokens that an extended tokenizer has behind the old ones, in embedding and output layer; null: as all others"),
  experience: experienceSchema
    .nullable()
    .default(null)
    .describe("replay of what the run itself has seen, with or without gradient alignment (MER); null: none"),
  maxGradNorm: z.number().positive().nullable().default(1).describe("gradients are scaled down to this norm; null: never"),
  autocastDtype: z
    .enum(["auto", "float32", "bfloat16"])
    .default("auto")
    .describe("type of the computation; weights stay float32; auto: bfloat16 where the hardware is fast at it"),
  zLoss: z.number().min(0).default(0).describe("weight of the squared log-normalizer in the loss; 1e-4 steadies large vocabularies"),
  activationCheckpointing: z.boolean().default(false).describe("less memory for about a third more computation"),
});
