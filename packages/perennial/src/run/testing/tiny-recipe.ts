/** A recipe that trains in seconds, with its two corpora: for tests. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RecipeSpec } from "../../recipe/index.ts";
import { stream } from "../../stream.ts";

export function writeTinyCorpora(folder: string): void {
  const words = stream(1, "test text");
  const text = (vocabulary: readonly string[], documents: number) =>
    Array.from({ length: documents }, () =>
      JSON.stringify({ text: Array.from({ length: 30 }, () => vocabulary[words.integer(vocabulary.length)]).join(" ") }),
    ).join("\n");
  writeFileSync(join(folder, "old.jsonl"), text(["the", "sea", "is", "blue", "and", "deep"], 200));
  writeFileSync(join(folder, "new.jsonl"), text(["itsasoa", "urdina", "da", "eta", "sakona"], 200));
}

/** Two stages of twelve steps: old text, then new text with a quarter of replay and an average of the weights. */
export const tinyRecipe = (output: string, change: Partial<RecipeSpec> = {}): RecipeSpec => ({
  name: "tiny",
  seed: 3,
  output,
  model: { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, numKeyValueHeads: 1 },
  tokenizer: "bytes",
  corpora: { old: { path: "old.jsonl", heldOut: { share: 0.1 } }, new: { path: "new.jsonl", heldOut: { share: 0.1 } } },
  train: {
    steps: 12,
    sequenceLength: 48,
    microBatchSize: 2,
    gradientAccumulationSteps: 2,
    schedule: { schedule: "cosine", maxLearningRate: 3e-3, minLearningRate: 3e-4, warmupSteps: 3 },
  },
  stages: [
    { name: "old", mixture: { sources: [{ corpus: "old" }] } },
    {
      name: "new",
      mixture: { sources: [{ corpus: "new" }], replay: { corpora: ["old"], share: 0.25 } },
      rules: [{ rule: "weightAverage", decay: 0.9 }],
    },
  ],
  evaluate: { everySteps: 8, maxTokensPerCorpus: 2000, bootstrapResamples: 50 },
  generate: { prompts: [{ label: "old", prompt: "the" }], maxNewTokens: 5 },
  checkpoints: { everySteps: 5, keepLast: 3 },
  ...change,
});
