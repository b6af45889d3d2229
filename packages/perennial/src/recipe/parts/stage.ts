/** A stage: one mixture, trained for one budget. Each stage continues from the one before. */
import { z } from "zod";
import { mixtureSchema } from "./mixture.ts";
import { ruleSchema } from "./rules.ts";
import { trainSchema } from "./train.ts";

const onStartSchema = z.strictObject({
  optimizer: z.enum(["reset", "keep"]).default("reset").describe("moments of the optimizer: forgotten, or kept from the stage before"),
  learningRate: z
    .enum(["rewarm", "reset", "keep"])
    .default("rewarm")
    .describe(
      "rewarm: the schedule from its first step; reset: from the end of its warm-up; keep: the schedule goes on where the stage before stood",
    ),
});

export const stageSchema = z.strictObject({
  name: z.string().min(1).describe("unique among the stages; reports and `--set stages.NAME.…` use it"),
  mixture: mixtureSchema.describe("what the stage trains on"),
  train: trainSchema.prefault({}).describe("how it trains; what is not given here comes from the recipe's own `train`"),
  rules: z.array(ruleSchema).default([]).describe("what may happen around a step"),
  onStart: onStartSchema.prefault({}).describe("what becomes of optimizer and learning rate when the stage begins"),
});
