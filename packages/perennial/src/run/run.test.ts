import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel } from "../model/index.ts";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath, openStore } from "../store/index.ts";
import { type RunEventMessage, runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;

beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-run-"));
  writeTinyCorpora(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (listen?: (message: RunEventMessage) => void) => ({ baseFolder: folder, ...(listen === undefined ? {} : { listen }) });
const modelHash = async (output: string) => (await hashPath(join(folder, output, "main", "model"))).hash;

test("a run learns, measures, keeps its mixture and writes everything down", async () => {
  const events: RunEventMessage[] = [];
  const [summary] = await runRecipe(
    resolveRecipe(tinyRecipe("whole")),
    options((message) => events.push(message)),
  );
  expect(summary!.result.status).toBe("finished");
  const { before, after } = summary!.result;
  expect(after.get("old")!).toBeLessThan(before.get("old")! - 1);
  expect(after.get("new")!).toBeLessThan(before.get("new")! - 1);
  const store = openStore(join(folder, ".perennial/store.db"), { mode: "read" });
  const run = store.runs.find(summary!.runId);
  expect(run.status).toBe("finished");
  const matrix = store.evaluations.matrix(run.key, "bitsPerByte", ["old", "new"]);
  expect(matrix.rows.map((row) => row.label)).toEqual(["before", "after old", "after new"]);
  // A quarter of the second stage is old text, to within one sequence of each accumulated step.
  const achieved = store.metrics.read(run.key, "mixture/achieved/old").values.at(-1)!;
  expect(Math.abs(achieved - 0.25)).toBeLessThan(0.05);
  // Asked for and delivered, in sequences, loss, tokens and documents: 12 steps of 4 rows, a quarter old, are 12 rows.
  expect(store.metrics.read(run.key, "mixture/requested/old").values.at(-1)).toBeCloseTo(0.25, 12);
  for (const name of ["achieved-tokens", "achieved-documents"])
    expect(Math.abs(store.metrics.read(run.key, `mixture/${name}/old`).values.at(-1)! - 0.25), name).toBeLessThan(0.12);
  const notes = events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
  expect(notes.find((text) => text.startsWith("mixture of new:"))).toMatch(/old 25\.0 % asked, 25\.0 % of sequences, [\d.]+ % of tokens/);
  store.close();
  expect(events.filter((event) => event.kind === "step")).toHaveLength(24);
  // The saved folder is a model of its own.
  expect(loadModel(join(summary!.folder, "model")).model.config.numKeyValueHeads).toBe(1);
  expect(existsSync(join(summary!.folder, "models/old/model.safetensors"))).toBe(true);
});

test("stopped at any step and resumed = never stopped, bit for bit, across stages and with an average of weights", async () => {
  for (const until of [3, 5, 12, 17]) {
    const output = `until-${until}`;
    const [half] = await runRecipe(resolveRecipe(tinyRecipe(output)), { ...options(), until });
    expect(half!.result.status).toBe("stopped");
    await expect(runRecipe(resolveRecipe(tinyRecipe(output)), options())).rejects.toThrow(/holds a run already.*--resume/);
    const [rest] = await runRecipe(resolveRecipe(tinyRecipe(output)), { ...options(), resume: true });
    expect(rest!.result.status).toBe("finished");
    expect(rest!.runId).toBe(half!.runId);
    expect(await modelHash(output), `stopped after ${until}`).toBe(await modelHash("whole"));
  }
  // A finished run is not run again; what it measured is still told.
  const [finished] = await runRecipe(resolveRecipe(tinyRecipe("until-3")), { ...options(), resume: true });
  expect(finished!.result.after.get("new")).toBeLessThan(finished!.result.before.get("new")!);
});

test("the same recipe and seed give the same numbers, another seed others", async () => {
  await runRecipe(resolveRecipe(tinyRecipe("again")), options());
  expect(await modelHash("again")).toBe(await modelHash("whole"));
  await runRecipe(resolveRecipe(tinyRecipe("other", { seed: 4 })), options());
  expect(await modelHash("other")).not.toBe(await modelHash("whole"));
});

test("accumulating two micro-batches equals one batch of twice the size", async () => {
  const one = tinyRecipe("one-batch");
  one.train = { ...one.train, microBatchSize: 4, gradientAccumulationSteps: 1 };
  const losses = async (recipe: RecipeSpec) => {
    const list: number[] = [];
    await runRecipe(
      resolveRecipe(recipe),
      options((message) => message.kind === "step" && list.push(message.report.loss)),
    );
    return list;
  };
  const whole = await losses(one);
  const halves = await losses(tinyRecipe("two-batches"));
  for (const [i, loss] of whole.entries()) expect(halves[i]).toBeCloseTo(loss, 4);
});

test("a changed recipe cannot resume a run", async () => {
  await runRecipe(resolveRecipe(tinyRecipe("changed")), { ...options(), until: 5 });
  const other = tinyRecipe("changed");
  other.train = { ...other.train, steps: 14 };
  await expect(runRecipe(resolveRecipe(other), { ...options(), resume: true })).rejects.toThrow(/is not the one/);
});

test("a forgetting bound stops the run, resumable, and says why", async () => {
  const base = tinyRecipe("base");
  base.stages = [base.stages[0]!];
  base.train = { ...base.train, steps: 120 };
  await runRecipe(resolveRecipe(base), options());
  const recipe = tinyRecipe("bound", { model: join(folder, "base/main/model") });
  recipe.stages = [
    { name: "new", mixture: { sources: [{ corpus: "new" }] }, rules: [{ rule: "forgettingBound", corpus: "old", maxIncrease: 0.05 }] },
  ];
  recipe.train = { ...recipe.train, steps: 60, schedule: { schedule: "constant", maxLearningRate: 1e-2 } };
  const [summary] = await runRecipe(resolveRecipe(recipe), options());
  expect(summary!.result.status).toBe("stopped");
  expect(summary!.result.reason).toMatch(/step \d+: old is .* bits per byte worse than before the run; 0.05 are allowed/);
});

test("a loss that is no number is skipped, and the run goes on", async () => {
  const recipe = tinyRecipe("spike");
  recipe.stages = [{ ...recipe.stages[0]!, rules: [{ rule: "lossSpike", action: "skip" }] }];
  recipe.train = { ...recipe.train, steps: 4, schedule: { schedule: "constant", maxLearningRate: 1e30 } };
  const skipped: string[] = [];
  await runRecipe(
    resolveRecipe(recipe),
    options((message) => message.kind === "warning" && skipped.push(message.text)),
  );
  expect(skipped.some((text) => /not a finite number; the update was left out/.test(text))).toBe(true);
});
