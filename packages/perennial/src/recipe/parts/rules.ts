/** What may happen around a step. Rules run in the order of the recipe. */
import { z } from "zod";

export const lossSpikeSchema = z.strictObject({
  rule: z.literal("lossSpike").describe("a step's loss far above the recent ones; not-a-number always counts"),
  ratio: z.number().gt(1).default(2).describe("a spike is a loss above ratio · the median of the window"),
  windowSteps: z.int().min(1).default(50).describe("steps that the median is taken over"),
  action: z
    .enum(["skip", "rollback", "stop"])
    .default("skip")
    .describe("skip: leave this step's update out; rollback: back to the last checkpoint, past this data; stop: end the run, resumable"),
});

export const forgettingBoundSchema = z.strictObject({
  rule: z.literal("forgettingBound").describe("a bound on how much an old corpus may get worse"),
  corpus: z.string().describe("name of an evaluated corpus"),
  maxIncrease: z.number().positive().describe("bits per byte above the value before the run"),
  action: z
    .enum(["stop", "rollback"])
    .default("stop")
    .describe("stop: end the run, resumable; rollback: end at the last checkpoint within the bound"),
});

export const weightAverageSchema = z.strictObject({
  rule: z.literal("weightAverage").describe("an exponential moving average of the weights, saved and evaluated beside them"),
  decay: z.number().gt(0).lt(1).default(0.999).describe("average ← decay · average + (1 − decay) · weights, each step"),
});

export const ruleSchema = z.discriminatedUnion("rule", [lossSpikeSchema, forgettingBoundSchema, weightAverageSchema]);
