/**
 * What a plan will cost, before anything is done: parameters, memory, floating point operations.
 *   training   = Σ over stages: tokens · flops per token          evaluation ≤ measurements · corpora · maxTokensPerCorpus · flops per token / 3
 * A forward pass is a third of a training step. Seconds follow from the peak of the machine; its owner says how much of it is reached.
 */

import { isAbsolute, resolve } from "node:path";
import { FieldError } from "../errors.ts";
import { type DecoderConfig, decoderConfig } from "../model/config.ts";
import { countParameters, type MemoryEstimate, trainingFlopsPerToken, trainingMemory } from "../model/cost.ts";
import type { Plan, PlannedStage } from "./plan.ts";
import type { Recipe } from "./schema.ts";

export interface Estimate {
  readonly parameters: number;
  /** Bytes of one process, in the stage that needs most. */
  readonly memory: MemoryEstimate;
  readonly trainingFlops: number;
  /** At most: a held-out text may be shorter than maxTokensPerCorpus. */
  readonly evaluationFlops: number;
}

/** Share of the peak of large matrix products that training reaches: models from 10 M parameters on; smaller ones reach less. */
export const TYPICAL_UTILIZATION = 0.45;

export function estimateOf(recipe: Recipe, plan: Plan, config: DecoderConfig): Estimate {
  const flops = plan.stages.map(({ position }) => trainingFlopsPerToken(config, recipe.stages[position]!.train.sequenceLength));
  const memories = recipe.stages.map(({ train }) => trainingMemory(config, train));
  const corpora = recipe.evaluate.corpora ?? Object.keys(recipe.corpora).filter((name) => recipe.corpora[name]!.heldOut !== "none");
  const tokensPerMeasurement = corpora.length * recipe.evaluate.maxTokensPerCorpus;
  // The model as it comes is measured too, with the windows of the first stage.
  const measurements = plan.stages.map(({ evaluations }, i) => evaluations + (i === 0 ? 1 : 0));
  return {
    parameters: countParameters(config).total,
    memory: memories.reduce((most, memory) => (memory.total > most.total ? memory : most)),
    trainingFlops: plan.stages.reduce((sum, stage, i) => sum + newTokens(plan, stage) * flops[i]!, 0),
    evaluationFlops: measurements.reduce((sum, times, i) => sum + (times * tokensPerMeasurement * flops[i]!) / 3, 0),
  };
}

/** Of a branch only the annealing is its own work. */
const newTokens = ({ branch }: Plan, { startStep, steps, tokens, tokensPerStep }: PlannedStage): number =>
  branch === null ? tokens : Math.max(0, startStep + steps - Math.max(startStep, branch.step)) * tokensPerStep;

/** The shape of the model that a recipe begins with: from its `config.json`, or of a fresh one with the tokenizer's vocabulary. */
export async function modelShape({ model, tokenizer }: Recipe, baseFolder: string): Promise<DecoderConfig> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  // Loaded only here: planning needs no libtorch.
  const extension = typeof tokenizer === "object" && "extend" in tokenizer ? tokenizer.extend : undefined;
  if (typeof model === "string") {
    const { config } = (await import("../model/index.ts")).readConfig(absolute(model));
    return { ...config, vocabSize: config.vocabSize + (extension?.newTokens ?? 0) };
  }
  const known = { ...model, vocabSize: 1 };
  if (typeof tokenizer === "object") {
    if ("train" in tokenizer) return decoderConfig({ ...known, vocabSize: tokenizer.train.vocabSize });
    throw new FieldError("RECIPE_TOKENIZER", { at: "tokenizer.extend", expected: "a model folder to extend", received: model });
  }
  const { ByteTokenizer, loadTokenizer } = await import("../tokenizer/index.ts");
  const { vocabSize } = tokenizer === "bytes" ? new ByteTokenizer() : await loadTokenizer(absolute(tokenizer));
  return decoderConfig({ ...known, vocabSize });
}
