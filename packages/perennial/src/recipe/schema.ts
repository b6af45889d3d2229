/** The recipe: one schema, composed of parts; every default lives in the part it belongs to. */
import { z } from "zod";
import { type BranchSpec, branchSchema, trunkSchema } from "./parts/branch.ts";
import { corpusSchema } from "./parts/corpus.ts";
import { modelSchema } from "./parts/model.ts";
import { stageSchema } from "./parts/stage.ts";
import { tokenizerSchema } from "./parts/tokenizer.ts";
import { trainSchema } from "./parts/train.ts";
import { count, everySteps } from "./parts/units.ts";

const evaluateSchema = z.strictObject({
  corpora: z
    .array(z.string())
    .nullable()
    .default(null)
    .describe("names of the corpora whose held-out text is measured; null: all that have some"),
  everySteps: everySteps().default(100).describe("optimizer steps between measurements; before and after each stage is always measured"),
  atSteps: z.array(z.int().min(1)).default([]).describe("further steps of each stage at which to measure, e.g. the budgets of a plan"),
  maxTokensPerCorpus: count(1).prefault("100k").describe("held-out tokens read per corpus and measurement"),
  bootstrapResamples: z.int().min(0).default(1000).describe("resamples over documents for the 95 % intervals; 0: no intervals"),
});

const generateSchema = z.strictObject({
  prompts: z
    .array(
      z.strictObject({
        label: z.string().min(1).describe("what the sample shows, e.g. the language"),
        prompt: z.string().describe("text that the model continues"),
      }),
    )
    .default([])
    .describe("continued before the first stage and after each"),
  maxNewTokens: z.int().min(1).default(80).describe("length of a continuation in tokens"),
  temperature: z.number().min(0).default(0.7).describe("0 is greedy"),
  topP: z.number().gt(0).max(1).default(0.95).describe("only the likeliest tokens that together have this probability"),
});

const checkpointsSchema = z.strictObject({
  everySteps: everySteps().default(200).describe("optimizer steps between checkpoints; the end of a stage always has one"),
  keepLast: z.int().min(1).default(2).describe("newest checkpoints that are kept"),
  keepBest: z.int().min(0).default(0).describe("best checkpoints kept besides, by mean bits per byte over the evaluated corpora"),
});

const baselineSchema = z.strictObject({
  name: z.string().min(1).describe("what the variant is called in reports, e.g. naive"),
  set: z
    .record(z.string(), z.unknown())
    .describe("what differs: dotted path → value, e.g. `stages.*.mixture.replay: null`; null gives the default back"),
});

export const recipeSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u)
    .describe("letters, digits, spaces and . _ -; names the run and its folder"),
  seed: z.int().min(0).default(0).describe("the same recipe and seed give the same numbers on the same machine"),
  model: modelSchema.describe("the model to continue from, or the shape of a fresh one"),
  tokenizer: tokenizerSchema.prefault("model").describe("how text becomes tokens"),
  corpora: z.record(z.string(), corpusSchema).describe("name → corpus"),
  train: trainSchema.partial().optional().describe("what all stages share; a stage's own `train` goes before it"),
  stages: z.array(stageSchema).min(1).describe("one after the other: language after language, month after month"),
  evaluate: evaluateSchema.prefault({}).describe("held-out measurements before, during and after"),
  generate: generateSchema.prefault({}).describe("text written by the model before and after"),
  checkpoints: checkpointsSchema.prefault({}).describe("what is saved on the way"),
  tensorboard: z
    .boolean()
    .default(false)
    .describe("whether metrics are also written as TensorBoard event files, into `tensorboard/` of the run"),
  output: z.string().min(1).optional().describe("folder of the run, relative to the recipe; default: runs/NAME"),
  trunk: trunkSchema
    .optional()
    .describe("a run to go on from, with its optimizer and its place in the data; the first stages are those of that run, new ones follow"),
  branches: z
    .array(branchSchema)
    .default([])
    .describe(
      "models to ship: each leaves the constant rate of a trunk at one of its checkpoints and is annealed; the trunk goes on without",
    ),
  baselines: z.array(baselineSchema).default([]).describe("variants that run in the same call, to compare with"),
});

/** What a person writes. */
export type RecipeSpec = z.input<typeof recipeSchema>;

type Parsed = z.output<typeof recipeSchema>;

/** What code reads: all defaults filled in; each stage has the whole of its `train`. */
export type Recipe = Omit<Parsed, "train" | "baselines" | "branches" | "output"> & {
  output: string;
  /** `main`, or the name of the baseline or branch. */
  variant: string;
  /** Set for a branch: what it leaves, where, and for how long. */
  branch?: BranchSpec;
};
export type RecipeStage = Parsed["stages"][number];
