/** The small models and steps that the reproductions of training methods share: English help text first, then what is new. */
import type { RecipeSpec } from "../../recipe/index.ts";
import type { Settings } from "../reproduction.ts";

/** Optimizer steps at the given factor of the budget. */
export const scaled = (steps: number, { tokens }: Settings): number => Math.max(1, Math.round(steps * tokens));

export const MAX_LEARNING_RATE = 3e-3;
export const MIN_LEARNING_RATE = 3e-4;

/** 1,024 tokens in a step. */
export const smallTrain = { sequenceLength: 128, microBatchSize: 8 } as const;

export const smallModel = ({ width }: Settings) => ({
  hiddenSize: width,
  numHiddenLayers: 3,
  numAttentionHeads: 4,
  maxPositionEmbeddings: 128,
});

/** The tokenizer knows English only, like that of a model that has to learn something new. */
export const englishTokenizer = { train: { vocabSize: 2048, corpora: ["english"] } };

export const helpText = (name: string) => ({ path: name, heldOut: { share: 0.1 } });

/** What is the same in all runs: few held-out tokens on the way, no intervals (the cell makes its own), few checkpoints. */
export const smallRun = {
  evaluate: { everySteps: 50, maxTokensPerCorpus: 8000, bootstrapResamples: 0 },
  checkpoints: { everySteps: 150, keepLast: 1 },
} as const;

export const BASE_STEPS = 800;

/** The base model: English, one cosine from 3e-3 to 3e-4. */
export function englishBase(settings: Settings): RecipeSpec {
  return {
    name: "english-base",
    seed: 0,
    model: smallModel(settings),
    tokenizer: englishTokenizer,
    corpora: { english: helpText("english") },
    train: { ...smallTrain, steps: scaled(BASE_STEPS, settings), schedule: cosine },
    stages: [{ name: "english", mixture: { sources: [{ corpus: "english" }] } }],
    ...smallRun,
  };
}

export const cosine = {
  schedule: "cosine",
  maxLearningRate: MAX_LEARNING_RATE,
  minLearningRate: MIN_LEARNING_RATE,
  warmupShare: 0.05,
} as const;

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
