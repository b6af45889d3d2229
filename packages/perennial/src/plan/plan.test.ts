import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { beforeAll, describe, expect, test } from "vitest";
import { pilotsOf, planSchema } from "../mixture/laws/index.ts";
import { loadRecipe, planOf, resolveRecipe } from "../recipe/index.ts";
import { runRecipe } from "../run/index.ts";
import { tinyRecipe, writeTinyCorpora } from "../run/testing/tiny-recipe.ts";
import { openStore } from "../store/index.ts";
import { loadPlan, outlinePlan, type PlanFileSpec, pilotRuns, resolvePlan, runPlan, sharingOf } from "./index.ts";
import { recipeOf } from "./pilot-runs.ts";
import { writtenShare } from "./recipe-text.ts";

const folder = mkdtempSync(join(tmpdir(), "plan-"));
const options = { baseFolder: folder, storePath: join(folder, "store.db"), cacheFolder: join(folder, "tokens") };

/** A step is 2 · 24 tokens; budgets of pilots: 4 to 48 steps. */
const spec = (change: Partial<PlanFileSpec> = {}): PlanFileSpec => ({
  name: "tiny plan",
  model: "base/main/model",
  corpora: {
    domain: { path: "new.jsonl", heldOut: { share: 0.1 } },
    general: { path: "old.jsonl", heldOut: { share: 0.1 } },
  },
  tokens: 48 * 48,
  train: { sequenceLength: 24, microBatchSize: 2, schedule: { schedule: "wsd", maxLearningRate: 3e-3, decayShare: 0.25, warmupSteps: 1 } },
  goal: { goal: "weighted", weight: 1 },
  pilots: { share: 1, ratios: [0.2, 0.4, 0.6, 0.8] },
  maxTokensPerCorpus: 500,
  replicas: 20,
  output: "plan",
  ...change,
});

const outlined = (change?: Partial<PlanFileSpec>) => outlinePlan(resolvePlan(spec(change)), folder);

beforeAll(async () => {
  setNumThreads(1);
  writeTinyCorpora(folder);
  const { stages, corpora, ...rest } = tinyRecipe("base");
  await runRecipe(resolveRecipe({ ...rest, corpora: { old: corpora.old! }, stages: [stages[0]!], generate: {} }), options);
});

describe("pilot runs", () => {
  const pilot = (plan: ReturnType<typeof resolvePlan>) =>
    pilotsOf(
      planSchema.parse({
        budgetTokens: 2304,
        tokensPerStep: 48,
        domainTokens: 1,
        generalTokens: 1,
        pilots: { share: 1, checkpoints: plan.pilots.budgets },
      }),
    )[0]!;
  const train = (schedule: Record<string, unknown>) =>
    resolvePlan(spec({ train: { sequenceLength: 24, microBatchSize: 2, schedule: schedule as never } }));

  test("a constant rate needs one run for all budgets", () => {
    const plan = train({ schedule: "constant", maxLearningRate: 1e-3 });
    const { sharing, runs, trainedSteps } = pilotRuns(plan, pilot(plan), 48);
    expect(sharing).toBe("on-the-way");
    expect(runs).toMatchObject([{ name: "trunk", steps: 48, atSteps: [4, 7, 11, 18, 29] }]);
    expect(trainedSteps).toBe(48);
  });

  test("warmup–stable–decay: a trunk up to where the longest budget decays, and a branch per budget with its own decay", () => {
    const plan = train({ schedule: "wsd", maxLearningRate: 1e-3, decayShare: 0.25, warmupSteps: 1 });
    const { runs, trainedSteps } = pilotRuns(plan, pilot(plan), 48);
    expect(runs.map(({ name, steps, branchAt }) => [name, steps, branchAt])).toEqual([
      ["trunk", 36, null],
      ...[
        [4, 3],
        [7, 5],
        [11, 8],
        [18, 14],
        [29, 22],
        [48, 36],
      ].map(([steps, at]) => [String(steps), steps, at]),
    ]);
    expect(trainedSteps).toBe(36 + 1 + 2 + 3 + 4 + 7 + 12);
    expect(trainedSteps).toBeLessThan(4 + 7 + 11 + 18 + 29 + 48);
  });

  test("a cosine depends on its length: a run per budget", () => {
    const plan = train({ schedule: "cosine", maxLearningRate: 1e-3 });
    const { sharing, runs, trainedSteps } = pilotRuns(plan, pilot(plan), 48);
    expect([sharing, runs.length, trainedSteps]).toEqual(["separate", 6, 4 + 7 + 11 + 18 + 29 + 48]);
    expect(sharingOf({ schedule: "wsd", maxLearningRate: 1, decayAt: 7 })).toBe("separate");
  });
});

test("a branch from the trunk's checkpoint is the run of that budget, bit for bit", async () => {
  const plan = resolvePlan(spec());
  const [trunk, , , , , , branch] = pilotRuns(plan, pilotsOf(planSchema.parse((await outlined()).spec))[0]!, 48).runs;
  const recipe = (run: typeof trunk, output: string) => resolveRecipe(recipeOf(plan, { ratio: 0.2, ...run!, output, baseFolder: folder }));
  await runRecipe(recipe(trunk, "bits/trunk"), { ...options, until: branch!.branchAt! });
  const branchFrom = { folder: join(folder, "bits/trunk/main"), step: branch!.branchAt! };
  const [branched] = await runRecipe(recipe(branch, "bits/branch"), { ...options, branchFrom });
  const [whole] = await runRecipe(recipe(branch, "bits/whole"), options);
  expect([...branched!.result.after]).toEqual([...whole!.result.after]);
  const weights = (run: string) => readFileSync(join(folder, run, "main/model/model.safetensors"));
  expect(weights("bits/branch").equals(weights("bits/whole"))).toBe(true);
  await expect(runRecipe(recipe(branch, "bits/none"), { ...options, branchFrom: { ...branchFrom, step: 9 } })).rejects.toThrow(
    /no checkpoint of step 9 to branch from/,
  );
});

test("pilots, laws, a recipe that the trainer takes as it is, a page; the next call trains nothing; a verification adds three runs", async () => {
  const outline = await outlined();
  expect(outline.pilots.map(({ runs, trainedTokens }) => [runs, trainedTokens])).toEqual(Array(4).fill([7, 65 * 48]));
  const trained: string[] = [];
  const listen = (message: { kind: string; runId?: string }) => {
    if (message.kind === "variant") trained.push(message.runId!);
  };
  const first = await runPlan(outline, { ...options, listen });
  expect(new Set(trained).size).toBe(4 * 7);
  const { ratio, low, high } = first.plan.recommendation;
  expect(ratio).not.toBeNull();
  expect(low!).toBeLessThanOrEqual(high!);
  expect(first.plan.results[0]!.constantRate).toHaveLength(6);
  expect(first.plan.cmr).not.toBeNull();

  const [planned] = loadRecipe(first.recipe!).variants;
  expect(planned.stages[0]!.mixture.sources[0]!.share).toBe(writtenShare(ratio!));
  expect(planOf(planned).totalTokens).toBe(48 * 48);
  const [run] = await runRecipe(loadRecipe(first.recipe!), { ...options, baseFolder: join(folder, "plan") });
  expect(run!.result.status).toBe("finished");

  const page = readFileSync(first.page, "utf8");
  for (const text of ["Recommended", "Loss over the share", "What is given for what", "Loss surfaces", "Residuals"])
    expect(page).toContain(text);
  expect(/(src|href)="http|>NaN|>undefined/.exec(page)).toBeNull();

  trained.length = 0;
  const again = await runPlan(await outlined(), { ...options, listen });
  expect(trained).toEqual([]);
  expect(again.plan).toEqual(first.plan);

  const verified = await runPlan(await outlined(), { ...options, listen, verify: true });
  expect(trained).toHaveLength(3);
  expect(verified.verification!.ratios.map(({ recommended }) => recommended)).toEqual([true, false, false]);
  // The share that was verified is the recommended one, to the last digit: the recipe's has three.
  expect(readFileSync(verified.page, "utf8")).toContain("Verified by training");
  expect(JSON.parse(readFileSync(verified.json, "utf8"))).toMatchObject({ verification: { recommendedIsBest: expect.any(Boolean) } });
  const store = openStore(options.storePath, { mode: "read" });
  expect(store.runs.all().filter(({ name }) => name.startsWith("tiny plan share")).length).toBeGreaterThanOrEqual(4 * 7 + 3);
  store.close();
});

test("other text, other pilots: old numbers are not taken for new ones", async () => {
  const other = join(folder, "other.jsonl");
  writeFileSync(other, readFileSync(join(folder, "new.jsonl"), "utf8").replaceAll("itsasoa", "mendia"));
  const corpora = { ...spec().corpora, domain: { path: "other.jsonl", heldOut: { share: 0.1 } } };
  const abort = new AbortController();
  const listen = (message: { kind: string }) => {
    if (message.kind === "step") abort.abort();
  };
  const outline = await outlined({ corpora });
  await expect(runPlan(outline, { ...options, listen, signal: abort.signal })).rejects.toThrow(/interrupted\. The same command goes on/);
});

test("three sizes: a law over size, for the model that will be trained", async () => {
  const sizes = [16, 24, 40];
  const { stages, corpora, ...rest } = tinyRecipe("");
  for (const hiddenSize of sizes) {
    const model = { hiddenSize, numHiddenLayers: 1, numAttentionHeads: 2 };
    const train = { ...rest.train!, steps: 4 };
    const made = {
      ...rest,
      train,
      model,
      output: `size-${hiddenSize}`,
      corpora: { old: corpora.old! },
      stages: [stages[0]!],
      generate: {},
    };
    await runRecipe(resolveRecipe(made), options);
  }
  const train = { sequenceLength: 24, microBatchSize: 2, schedule: { schedule: "constant" as const, maxLearningRate: 3e-3 } };
  const models = sizes.map((size) => `size-${size}/main/model`);
  const outline = await outlined({ output: "sized", train, pilots: { share: 0.5, ratios: [0.2, 0.4, 0.6, 0.8], models } });
  expect(outline.pilots).toHaveLength(12);
  expect(new Set(outline.pilots.map((pilot) => pilot.spec.modelSize)).size).toBe(3);
  const { plan, page } = await runPlan(outline, options);
  expect(plan.options.modelSize).toBe(outline.models[0]!.parameters);
  expect(plan.pair.domain.fitted).toContain("alpha");
  expect(plan.cmr).toBeNull();
  expect(readFileSync(page, "utf8")).toContain("parameters");
  await expect(outlined({ train, pilots: { models: [models[0]!, models[0]!, models[1]!] } })).rejects.toThrow(/models of different sizes/);
});

describe("bad input", () => {
  test.each([
    ["share of 1", { pilots: { ratios: [0.1, 0.2, 0.5, 1] } }, /pilots\.ratios\[3\].*below 1/],
    ["too few pilots", { pilots: { ratios: [0.2, 0.5, 0.8] } }, /pilots\.ratios/],
    ["too few budgets", { pilots: { budgets: 4 } }, /pilots\.budgets: expected a whole number of at least 6/],
    [
      "no held-out text",
      { corpora: { ...spec().corpora, domain: { path: "new.jsonl", heldOut: "none" } } },
      /corpora\.domain\.heldOut: expected held-out text/,
    ],
    ["two models", { pilots: { models: ["a", "b"] } }, /pilots\.models/],
    ["an unknown field", { budget: 3 }, /budget/],
  ] as [string, Partial<PlanFileSpec>, RegExp][])("%s", (_, change, message) => {
    expect(() => resolvePlan(spec(change))).toThrow(message);
  });

  test("a budget too small for its pilots says how much is enough, and that is enough", async () => {
    const error = await outlined({ pilots: { share: 0.1, ratios: [0.2, 0.4, 0.6, 0.8] } }).then(() => undefined, String);
    const enough = Number(/(\d+) tokens are enough/.exec(error!)![1]);
    const { pilots } = await outlined({ tokens: enough, pilots: { share: 1, ratios: [0.2, 0.4, 0.6, 0.8] } });
    expect(new Set(pilots[0]!.spec.checkpoints).size).toBe(6);
  });

  test("a corpus smaller than the budget: its passes are told, and warned of above the limit", async () => {
    const { plan } = await runPlan(await outlined({ maxEpochs: 0.01 }), options);
    const { domain, general } = plan.recommendation.epochs!;
    expect(Math.max(domain, general)).toBeGreaterThan(0.01);
    expect(plan.recommendation.warnings.join()).toMatch(/would be repeated .* times; the law assumes fresh text/);
  });

  test("a loss that is no number stops the plan and names the pilot", async () => {
    const train = { ...spec().train, schedule: { schedule: "constant" as const, maxLearningRate: 1e30, warmupSteps: 0 } };
    await expect(runPlan(await outlined({ train, output: "diverged" }), options)).rejects.toThrow(/finite|not a number|diverged/);
  });

  test("a missing model, a missing file", async () => {
    await expect(outlined({ model: "nowhere" })).rejects.toThrow(/nowhere/);
    expect(() => loadPlan(join(folder, "no.yaml"))).toThrow(/no\.yaml: expected a plan/);
    expect(existsSync(join(folder, "plans"))).toBe(false);
  });
});
