/** Branches that leave a trunk to be annealed, and trunks that go on with the next text. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { learningRateOf, planOf, type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath, openStore } from "../store/index.ts";
import { type RunEventMessage, runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "branch-"));
  writeTinyCorpora(folder);
  writeFileSync(join(folder, "later.jsonl"), readFileSync(join(folder, "old.jsonl"), "utf8").replaceAll("sea", "moon"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schedule = { schedule: "infinite" as const, maxLearningRate: 4e-3, warmupSteps: 2, cooldownSteps: 3, annealAt: "never" as const, annealingSteps: 4 }; // biome-ignore format: one line

/** A trunk of two stages of twelve steps at one rate, with replay and an average of the weights. */
function trunk(output: string, change: Partial<RecipeSpec> = {}): RecipeSpec {
  const recipe = tinyRecipe(output, {
    checkpoints: { everySteps: "never", keepLast: 1 },
    evaluate: { everySteps: "never", maxTokensPerCorpus: 300, bootstrapResamples: 0 },
    generate: { prompts: [] },
    ...change,
  });
  recipe.train = { ...recipe.train, schedule };
  recipe.stages = recipe.stages.map((stage, i) => (i === 0 ? stage : { ...stage, onStart: { optimizer: "keep", learningRate: "keep" } }));
  return recipe;
}

const modelHash = async (path: string) => (await hashPath(join(folder, path, "model.safetensors"))).hash;

async function run(recipe: RecipeSpec, options: { resume?: boolean; until?: number; variant?: string } = {}) {
  const steps: number[] = [];
  const listen = (message: RunEventMessage) => message.kind === "step" && steps.push(message.step);
  const summaries = await runRecipe(resolveRecipe(recipe), { baseFolder: folder, listen, ...options });
  return { steps, summaries };
}

/** The same numbers without a branch point: stages that end where the branch does, annealed at the same step. */
function recomputed(output: string, step: number, annealingSteps: number, change: Partial<RecipeSpec> = {}): RecipeSpec {
  const recipe = trunk(output, change);
  recipe.train = { ...recipe.train, schedule: { ...schedule, annealAt: step, annealingSteps } };
  const last = step <= 12 ? 0 : 1;
  recipe.stages = recipe.stages.slice(0, last + 1).map((stage, i) => (i < last ? stage : { ...stage, train: { steps: step - 12 * last + annealingSteps } })); // biome-ignore format: one line
  return recipe;
}

const experience = { share: 0.5, bufferTokens: 480, startStep: 2, reptile: { everySteps: 3, interpolation: 0.5 } };

describe.each([
  ["a mixture with replay", {}],
  ["experience replay with Reptile", { experience }],
] as const)("%s", (name, train) => {
  const output = name.replaceAll(" ", "-");
  const withTrain = (recipe: RecipeSpec): RecipeSpec => ({ ...recipe, train: { ...recipe.train, ...train } });

  test("a branch is what it would be if all were computed again, to the bit; the trunk never sees it", async () => {
    const branches = [{ name: "ship", step: 17 }, { name: "early", stage: "old", annealingSteps: 6 }]; // biome-ignore format: a list
    const whole = await run(withTrain({ ...trunk(output), branches }));
    // The trunk's 24 steps, then only what is annealed.
    expect(whole.steps).toEqual([...Array.from({ length: 24 }, (_, i) => i + 1), 18, 19, 20, 21, 13, 14, 15, 16, 17, 18]);
    await run(withTrain(trunk(`${output}-alone`)));
    expect(await modelHash(`${output}/main/model`)).toBe(await modelHash(`${output}-alone/main/model`));
    await run(withTrain(recomputed(`${output}-again`, 17, 4)));
    expect(await modelHash(`${output}/ship/model`)).toBe(await modelHash(`${output}-again/main/model`));
    await run(withTrain(recomputed(`${output}-early`, 12, 6)));
    expect(await modelHash(`${output}/early/model`)).toBe(await modelHash(`${output}-early/main/model`));
    const [main, ship] = whole.summaries.map(({ result }) => result);
    expect([...ship!.before]).toEqual([...main!.before]);
    expect(ship!.changes.get("old")!.value).toBeCloseTo(ship!.after.get("old")! - ship!.before.get("old")!, 9);
  });

  test("stopped in the middle and resumed, a branch ends as it would have", async () => {
    const recipe = withTrain({ ...trunk(`${output}-cut`), branches: [{ name: "ship", step: 17 }] });
    await run(recipe, { variant: "main" });
    expect((await run(recipe, { variant: "ship", until: 19 })).steps).toEqual([18, 19]);
    expect((await run(recipe, { resume: true })).steps).toEqual([20, 21]);
    expect(await modelHash(`${output}-cut/ship/model`)).toBe(await modelHash(`${output}/ship/model`));
  });

  test("the next text on a trunk: a recipe that goes on is the one that had it from the start", async () => {
    const corpora = { ...trunk("").corpora, later: { path: "later.jsonl", heldOut: { share: 0.1 } } };
    const next: RecipeSpec["stages"][number] = {
      name: "later",
      mixture: { sources: [{ corpus: "later" }] },
      onStart: { optimizer: "keep", learningRate: "keep" },
    };
    const kept =
      train === undefined || !("experience" in train)
        ? {}
        : { train: { ...trunk("").train, experience: { ...experience, keepBuffer: true } } };
    const first: RecipeSpec = { ...trunk(`${output}-first`), ...kept };
    await run(first);
    const stages: RecipeSpec["stages"] = [...first.stages, next];
    const whole = await run({ ...first, corpora, stages, output: `${output}-whole` });
    const after = await run({ ...first, corpora, stages, output: `${output}-next`, trunk: { run: `${output}-first/main` } });
    expect(after.steps).toEqual(whole.steps.slice(24));
    expect(await modelHash(`${output}-next/main/model`)).toBe(await modelHash(`${output}-whole/main/model`));
  });
});

test("the lineage leads from a branch to its trunk, and from the trunk to branch and next stage", async () => {
  const store = openStore(join(folder, ".perennial/store.db"), { mode: "read" });
  try {
    const output = "a-mixture-with-replay";
    const hash = (await hashPath(join(folder, output, "ship/model"))).hash;
    const { edges, artifacts } = store.lineage.of(hash);
    // The model that was computed again has the same bytes, and so another parent besides.
    const parents = edges.filter(({ child, role }) => child === hash && role === "model").map(({ parent }) => artifacts.get(parent)!);
    const ship = parents.find(({ kind }) => kind === "checkpoint")!;
    expect(ship.name).toBe("tiny/new after step 17");
    expect(ship.run).toBe(store.runs.newestIn(join(folder, output, "main"))!.id);
    const old = (await hashPath(join(folder, output, "main/models/old"))).hash;
    const children = store.lineage.of(old).edges.filter(({ parent, role }) => parent === old && role === "model").map(({ child }) => child); // biome-ignore format: one line
    // The next stage, the branch that left at the end of the stage, and the checkpoint of the other.
    expect(children).toContain(ship.hash);
    expect(children).toContain((await hashPath(join(folder, output, "early/model"))).hash);
    expect(children).toContain((await hashPath(join(folder, output, "main/model"))).hash);
  } finally {
    store.close();
  }
});

test("a step without a checkpoint is told with those that there are", async () => {
  const output = "later-thought";
  await run(trunk(output, { checkpoints: { everySteps: 9, keepLast: 2 } }));
  const recipe = trunk(output, { checkpoints: { everySteps: 9, keepLast: 2 }, branches: [{ name: "ship", step: 15 }] });
  await expect(run(recipe, { resume: true })).rejects.toThrow(
    /branch ship: .*later-thought\/main holds no checkpoint of step 15 to branch from; it has those of 21, 24\. Name the branch before/,
  );
  const none = trunk("nowhere", { branches: [{ name: "ship", step: 15 }] });
  await expect(run(none, { variant: "ship" })).rejects.toThrow(
    /branch ship: .*nowhere\/main holds no run with checkpoints; train that one first/,
  );
});

test("a branch of a trunk that was trained otherwise is refused, with the field", async () => {
  const other = trunk("later-thought", { branches: [{ name: "ship", step: 21 }], seed: 4 });
  await expect(run(other, { variant: "ship" })).rejects.toThrow(/branch ship: seed: expected what .* until step 21: 3, received 4/);
  const stages = trunk("").stages.map((stage) => ({ ...stage, train: { maxGradNorm: 0.5 } }));
  const changed = { ...trunk("later-thought", { branches: [{ name: "ship", step: 21 }] }), stages };
  await expect(run(changed, { variant: "ship" })).rejects.toThrow("branch ship: stages[0].train.maxGradNorm");
  expect(existsSync(join(folder, "later-thought/ship/checkpoints"))).toBe(false);
});

describe("what a branch may be", () => {
  const branch = (branches: RecipeSpec["branches"], change: Partial<RecipeSpec["train"] & object> = {}) => {
    const recipe = { ...trunk("x"), branches: branches! };
    const [main, first] = resolveRecipe({ ...recipe, train: { ...recipe.train, ...change } }).variants;
    return { main, first: first! };
  };
  test("its rates are the trunk's up to its step, then the annealing to the minimum", () => {
    const { main, first } = branch([{ name: "ship", step: 17 }]);
    const [trunkRate, rate] = [main, first].map((recipe) => learningRateOf(recipe, planOf(recipe)));
    for (let step = 0; step <= 17; step++) expect(rate!(step)).toBe(trunkRate!(step));
    expect(rate!(21)).toBeCloseTo(4e-4, 15);
    expect(trunkRate!(21)).toBe(2.2e-3);
    expect(planOf(first)).toMatchObject({ branch: { from: "main", step: 17, annealingSteps: 4 }, totalSteps: 21 });
  });
  test("shares of a schedule are those of the whole stage", () => {
    const shares = { ...schedule, warmupSteps: undefined, warmupShare: 0.25, cooldownSteps: undefined, cooldownShare: 0.25 };
    const { main, first } = branch([{ name: "ship", step: 8 }], { schedule: JSON.parse(JSON.stringify(shares)) });
    const [trunkRate, rate] = [main, first].map((recipe) => learningRateOf(recipe, planOf(recipe)));
    for (let step = 0; step <= 8; step++) expect(rate!(step)).toBe(trunkRate!(step));
  });
  test.each([
    ["before the constant rate", { step: 4 }, {}, /branch ship, schedule.annealAt: expected a step from 5 on/],
    ["behind the trunk", { step: 25 }, {}, /branch ship, step: expected a step of the trunk, at most 24, received 25/],
    [
      "of a cosine",
      { step: 8 },
      { schedule: { schedule: "cosine", maxLearningRate: 1e-3 } },
      /branch ship, schedule: expected infinite or wsd/,
    ],
    [
      "of a trunk that is annealed by then",
      { step: 11 },
      { schedule: { ...schedule, annealAt: 9 } },
      /branch ship, schedule: expected a trunk at its constant rate until step 11; it is annealed from step 9 on/,
    ],
  ] as const)("not %s", (_, where, change, message) => {
    const { first } = branch([{ name: "ship", ...where }], change as never);
    expect(() => planOf(first)).toThrow(message);
  });
  test.each([
    [{ name: "ship" }, "branches[0]: expected step or stage: where the branch leaves its trunk"],
    [{ name: "ship", step: 3, stage: "old" }, "branches[0]: expected step or stage"],
    [{ name: "main", step: 3 }, "branches[0].name: expected a name that no other variant has"],
    [{ name: "ship", stage: "older" }, "branches[0].stage: expected the name of a stage (old, new)"],
    [{ name: "ship", step: 3, from: "naive" }, "branches[0].from: expected main or the name of a baseline (main)"],
  ])("%o is a mistake that is told", (written, message) => {
    expect(() => resolveRecipe({ ...trunk("x"), branches: [written] })).toThrow(message);
  });
});
