import { expect, test } from "vitest";
import { estimateOf, modelShape } from "./estimate.ts";
import { planOf } from "./plan.ts";
import { resolveRecipe } from "./resolve.ts";

const [recipe] = resolveRecipe({
  name: "x",
  model: { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 64 },
  tokenizer: "bytes",
  corpora: { a: { path: "a" }, b: { path: "b", heldOut: "none" } },
  train: { steps: 10, sequenceLength: 16, microBatchSize: 4 },
  stages: [
    { name: "one", mixture: { sources: [{ corpus: "a" }] } },
    { name: "two", mixture: { sources: [{ corpus: "b" }] }, train: { microBatchSize: 8 } },
  ],
  evaluate: { everySteps: 5, maxTokensPerCorpus: 300 },
}).variants;

test("parameters, operations and memory of a plan, by hand", async () => {
  const config = await modelShape(recipe, ".");
  expect(config.vocabSize).toBe(259);
  const estimate = estimateOf(recipe, planOf(recipe), config);
  // A layer: q k v o = 4 · 32², gate up down = 3 · 32 · 64; norms (2 · 2 + 1) · 32; embedding 259 · 32, tied.
  const layer = 4 * 32 ** 2 + 3 * 32 * 64;
  expect(estimate.parameters).toBe(2 * layer + 5 * 32 + 259 * 32);
  const perToken = 6 * (2 * layer + 259 * 32) + 6 * 2 * 32 * 16;
  expect(estimate.trainingFlops).toBe(perToken * (10 * 64 + 10 * 128));
  // One corpus has held-out text; it is measured before, and twice in each stage.
  expect(estimate.evaluationFlops).toBeCloseTo((5 * 300 * perToken) / 3, 3);
  // The second stage holds twice the sequences.
  expect(estimate.memory.logits).toBe(3 * 4 * 8 * 16 * 259);
  expect(estimate.memory.optimizer).toBe(8 * estimate.parameters);
});

test("a fresh model has the vocabulary that its tokenizer will have; a folder has the one in its config", async () => {
  const { model, tokenizer } = { model: recipe.model, tokenizer: { train: { vocabSize: 1000, corpora: null, maxBytes: 1 } } };
  expect((await modelShape({ ...recipe, model, tokenizer }, ".")).vocabSize).toBe(1000);
  await expect(modelShape({ ...recipe, model: "nowhere" }, "/tmp")).rejects.toThrow(/nowhere\/config\.json: expected a Hugging Face model/);
});
