import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RecipeSpec } from "../recipe/index.ts";
import { runRecipeCell, sharedModel } from "./recipe-cell.ts";
import { type CellContext, ReproductionStopped } from "./reproduction.ts";

let folder: string;
beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "recipe-cell-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = (name: string, more: Partial<CellContext> = {}): CellContext => ({
  folder: join(folder, name),
  sharedFolder: join(folder, "shared"),
  tokensFolder: join(folder, "tokens"),
  listen: () => {},
  signal: undefined,
  ...more,
});

const recipe = (name: string, more: Partial<RecipeSpec> = {}): RecipeSpec => ({
  name,
  seed: 1,
  model: { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2 },
  tokenizer: "bytes",
  corpora: { desktop: { path: "desktop", heldOut: { share: 0.05 } } },
  train: { steps: 6, sequenceLength: 64, microBatchSize: 2, schedule: { schedule: "constant", maxLearningRate: 3e-3 } },
  stages: [{ name: "desktop", mixture: { sources: [{ corpus: "desktop" }] } }],
  evaluate: { everySteps: 3, maxTokensPerCorpus: 1000, bootstrapResamples: 0 },
  checkpoints: { everySteps: 2, keepLast: 1 },
  ...more,
});

test("a recipe as a cell: measurements on the way, and at the end by document, whose mean is the measurement", async () => {
  const { curves, final, documents, matrix } = await runRecipeCell(recipe("plain"), context("plain"));
  expect(curves.desktop!.x).toHaveLength(3);
  expect(matrix.rows.map(({ moment }) => moment)).toEqual(["before", "after"]);
  const scores = documents.desktop!;
  expect(scores.length).toBeGreaterThan(3);
  expect(scores.reduce((sum, score) => sum + score, 0) / scores.length).toBeCloseTo(final.desktop!, 9);
});

test("a stopped cell goes on where it was, to the same numbers", async () => {
  const whole = await runRecipeCell(recipe("whole"), context("whole"));
  const abort = new AbortController();
  const listen: CellContext["listen"] = (message) => message.kind === "step" && message.step === 3 && abort.abort();
  const stopped = runRecipeCell(recipe("whole"), context("cut", { listen, signal: abort.signal }));
  await expect(stopped).rejects.toThrow(ReproductionStopped);
  let first = Number.POSITIVE_INFINITY;
  const watch: CellContext["listen"] = (message) => {
    if (message.kind === "step") first = Math.min(first, message.step);
  };
  const resumed = await runRecipeCell(recipe("whole"), context("cut", { listen: watch }));
  expect(first).toBeGreaterThan(1);
  expect(resumed.final).toEqual(whole.final);
  expect(resumed.curves).toEqual(whole.curves);
});

test("a shared model is made once, and cells go on from it", async () => {
  let steps = 0;
  const listen: CellContext["listen"] = (message) => {
    if (message.kind === "step") steps++;
  };
  const base = await sharedModel(recipe("base"), context("a", { listen }));
  expect(await sharedModel(recipe("base"), context("b", { listen }))).toBe(base);
  expect(steps).toBe(6);
  const { curves } = await runRecipeCell(recipe("more", { model: "base", tokenizer: "model" }), context("more"), base);
  const fresh = await runRecipeCell(recipe("fresh"), context("fresh"));
  expect(curves.desktop!.y[0]).toBe(fresh.curves.desktop!.y.at(-1));
  await expect(runRecipeCell(recipe("lost", { model: "base", tokenizer: "model" }), context("lost"))).rejects.toThrow("hand its folder in");
});
