/** Rules that go back: a spike in the loss, a bound on forgetting. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel } from "../model/index.ts";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath } from "../store/index.ts";
import { type RunEventMessage, runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-rollback-"));
  writeTinyCorpora(folder);
  // Plain text with a stretch of noise in its middle.
  const plain = Array.from({ length: 60 }, () => JSON.stringify({ text: "the sea is blue and deep ".repeat(6) }));
  const noise = Array.from({ length: 4 }, (_, i) => JSON.stringify({ text: "Ж".repeat(40 + i) + "≠Ω".repeat(20) }));
  writeFileSync(join(folder, "spiked.jsonl"), [...plain.slice(0, 30), ...noise, ...plain.slice(30)].join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(recipe: RecipeSpec, options: { resume?: boolean; until?: number } = {}) {
  const steps: Extract<RunEventMessage, { kind: "step" }>[] = [];
  const warnings: string[] = [];
  const [summary] = await runRecipe(resolveRecipe(recipe), {
    baseFolder: folder,
    ...options,
    listen: (message) => {
      if (message.kind === "step") steps.push(message);
      if (message.kind === "warning") warnings.push(message.text);
    },
  });
  return { ...summary!, steps, warnings };
}
const hash = async (output: string) => (await hashPath(join(folder, output, "main", "model"))).hash;

const spiked = (output: string, everySteps: number | "never" = 8): RecipeSpec => {
  const recipe = tinyRecipe(output, {
    corpora: { spiked: { path: "spiked.jsonl", heldOut: "none" } },
    evaluate: { everySteps: "never" },
    generate: { prompts: [] },
    checkpoints: { everySteps },
  });
  recipe.train = { ...recipe.train, steps: 36, schedule: { schedule: "constant", maxLearningRate: 3e-3 } };
  recipe.stages = [
    {
      name: "spiked",
      mixture: { sources: [{ corpus: "spiked", order: "sequential" }] },
      rules: [{ rule: "lossSpike", ratio: 1.15, windowSteps: 4, action: "rollback" }],
    },
  ];
  return recipe;
};

test("a spike takes the run back; the data behind it is not drawn again and all steps are made", async () => {
  const { steps, warnings, result } = await run(spiked("spike"));
  expect(result.status).toBe("finished");
  expect(warnings.length).toBeGreaterThan(0);
  expect(warnings[0]).toMatch(/^step \d+: the loss .* is above .*; rolling back to step \d+, past the data of the steps since$/);
  const back = Number(/rolling back to step (\d+)/.exec(warnings[0]!)![1]);
  expect(back % 8).toBe(0);
  const numbers = steps.map(({ step }) => step);
  // Every step from 1 to 36 was made; those behind the checkpoint twice, the second time on other text.
  expect(numbers.at(-1)).toBe(36);
  expect(new Set(numbers).size).toBe(36);
  const fall = numbers.findIndex((step, i) => i > 0 && step <= numbers[i - 1]!);
  expect(numbers[fall]).toBe(back + 1);
  expect(steps[fall]!.report.loss).not.toBe(steps[back]!.report.loss);
  // The same text twice from the same weights would give the same loss.
  await run(spiked("spike-cut"), { until: numbers[fall - 1]! });
  const rest = await run(spiked("spike-cut"), { resume: true });
  expect(rest.result.status).toBe("finished");
  expect(await hash("spike-cut")).toBe(await hash("spike"));
});

test("without a checkpoint of its own the stage goes back to its start", async () => {
  const { warnings, steps } = await run(spiked("from-start", "never"));
  expect(warnings[0]).toMatch(/rolling back to step 0,/);
  expect(steps.at(-1)!.step).toBe(36);
});

test("a rollback that does not help ends the run and says so", async () => {
  const recipe = spiked("hopeless");
  recipe.train = { ...recipe.train, schedule: { schedule: "constant", maxLearningRate: 1e30 } };
  const { result } = await run(recipe);
  expect(result).toMatchObject({ status: "stopped", modelFolder: null });
  expect(result.reason).toMatch(/rolled back to step 0 10 times without getting past: lower the learning rate$/);
});

test("a forgetting bound that rolls back leaves a model within the bound", async () => {
  const base = tinyRecipe("base", { checkpoints: { everySteps: "never" }, evaluate: { everySteps: "never", maxTokensPerCorpus: 500 } });
  base.stages = [base.stages[0]!];
  base.train = { ...base.train, steps: 60 };
  await run(base);
  const recipe = tinyRecipe("bound", {
    model: join(folder, "base/main/model"),
    checkpoints: { everySteps: 3, keepLast: 1 },
    evaluate: { everySteps: 2, maxTokensPerCorpus: 500, bootstrapResamples: 0 },
  });
  recipe.stages = [
    {
      name: "new",
      mixture: { sources: [{ corpus: "new" }] },
      rules: [{ rule: "forgettingBound", corpus: "old", maxIncrease: 0.3, action: "rollback" }],
    },
  ];
  recipe.train = { ...recipe.train, steps: 40, schedule: { schedule: "constant", maxLearningRate: 1e-3 } };
  const { result, folder: output } = await run(recipe);
  expect(result.status).toBe("stopped");
  const step = Number(/the model is the one of step (\d+)$/.exec(result.reason!)![1]);
  expect(step).toBeGreaterThan(0);
  expect(step % 2).toBe(0);
  expect(result.after.get("old")! - result.before.get("old")!).toBeLessThanOrEqual(0.3);
  expect(result.after.get("new")!).toBeLessThan(result.before.get("new")!);
  expect(loadModel(result.modelFolder!).model.config.hiddenSize).toBe(32);
  expect(readdirSync(join(output, "checkpoints"))).toContain(String(step).padStart(6, "0"));
});
