/** The plan file: a base model, two corpora and a budget; what is asked is the share of each corpus. */
import { z } from "zod";
import { goalSchema, maxPlannedEpochs, pilotRatios, pilotShare, planReplicas } from "../mixture/laws/index.ts";
import { corpusSchema } from "../recipe/parts/corpus.ts";
import { trainSchema } from "../recipe/parts/train.ts";
import { count } from "../recipe/parts/units.ts";
import { scheduleSchema } from "../train/schedule/index.ts";

const howToTrain = trainSchema
  .omit({ tokens: true, steps: true })
  .extend({
    schedule: scheduleSchema
      .prefault({ schedule: "wsd", maxLearningRate: 3e-4, decayShare: 0.2 })
      .describe("wsd: pilots of all budgets share a trunk and anneal on branches; constant: one run gives all; others: a run per budget"),
  })
  .superRefine(({ gradientAccumulationSteps, tokensPerStep }, context) => {
    if (gradientAccumulationSteps !== undefined && tokensPerStep !== undefined)
      context.addIssue({ code: "custom", path: ["tokensPerStep"], message: "only one of gradientAccumulationSteps and tokensPerStep" });
  });

export const planFileSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u)
    .default("plan")
    .describe("letters, digits, spaces and . _ -; names the runs"),
  seed: z.int().min(0).default(1).describe("of data order, models and bootstrap: the same plan gives the same answer on the same machine"),
  model: z.string().min(1).describe("the Hugging Face model folder to continue from, relative to the plan"),
  corpora: z
    .strictObject({
      domain: corpusSchema.describe("the new text: a language or a field that the model is to learn"),
      general: corpusSchema.describe("text like what the model knows, which it must not forget"),
    })
    .describe("each needs held-out text: its losses are what the laws are fitted to"),
  tokens: count(1).describe("budget of the training that is planned, in target tokens"),
  train: howToTrain.prefault({}).describe("how the planned run and its pilots train"),
  goal: goalSchema,
  maxEpochs: maxPlannedEpochs,
  pilots: z
    .strictObject({
      share: pilotShare,
      ratios: pilotRatios,
      budgets: z
        .int()
        .min(6)
        .default(6)
        .describe("token counts per pilot, geometrically spaced up to its share of the budget; each is one point of the laws"),
      models: z
        .array(z.string().min(1))
        .min(3)
        .nullable()
        .default(null)
        .describe("base models of at least three sizes, the planned one among them or not; null: the planned model alone"),
    })
    .prefault({})
    .describe("the short runs that the laws are fitted to"),
  maxTokensPerCorpus: count(1).prefault("50k").describe("held-out tokens read per corpus and measurement"),
  replicas: planReplicas,
  output: z.string().min(1).optional().describe("folder of recipe, report and runs, relative to the plan; default: plans/NAME"),
});

/** What a person writes. */
export type PlanFileSpec = z.input<typeof planFileSchema>;
/** What code reads. */
export type PlanFile = Omit<z.output<typeof planFileSchema>, "output"> & { output: string };
