/** Where a run may be cut, and what its rules do to it. The cut is an error thrown into the run; real kills are in `kill.test.ts`. */
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath, openStore } from "../store/index.ts";
import { type RunEventMessage, runRecipe } from "./index.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "perennial-resume-"));
  writeTinyCorpora(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hash = async (output: string, model = "model") => (await hashPath(join(folder, output, "main", model))).hash;

async function run(
  recipe: RecipeSpec,
  options: { resume?: boolean; until?: number } = {},
  listen: (message: RunEventMessage) => void = () => {},
) {
  const messages: RunEventMessage[] = [];
  const [summary] = await runRecipe(resolveRecipe(recipe), {
    baseFolder: folder,
    ...options,
    listen: (message) => {
      messages.push(message);
      listen(message);
    },
  });
  const steps = messages.flatMap((message) => (message.kind === "step" ? [message] : []));
  const warnings = messages.flatMap((message) => (message.kind === "warning" ? [message.text] : []));
  return { ...summary!, messages, steps, warnings };
}

/** Two stages of six steps. */
const short = (output: string, change: Partial<RecipeSpec> = {}): RecipeSpec => {
  const recipe = tinyRecipe(output, {
    evaluate: { everySteps: "never", maxTokensPerCorpus: 300, bootstrapResamples: 0 },
    checkpoints: { everySteps: 4 },
    ...change,
  });
  recipe.train = { ...recipe.train, steps: 6, schedule: { schedule: "inverse-sqrt", maxLearningRate: 4e-3, warmupSteps: 2 } };
  return recipe;
};

const onStart = (recipe: RecipeSpec, value: NonNullable<RecipeSpec["stages"][number]["onStart"]>): RecipeSpec => {
  recipe.stages = [recipe.stages[0]!, { ...recipe.stages[1]!, onStart: value }];
  return recipe;
};

describe("the boundary between stages", () => {
  const recipe = (output: string) => onStart(short(output), { optimizer: "keep", learningRate: "keep" });
  const cuts: [string, (message: RunEventMessage) => boolean][] = [
    ["before the measurement at its end", ({ kind, ...rest }) => kind === "checkpoint" && "step" in rest && rest.step === 6],
    ["after that measurement", (message) => message.kind === "measured" && message.moment === "after"],
    ["after the sample", (message) => message.kind === "sample" && message.text !== "" && seenAfter],
    ["when the next stage begins", (message) => message.kind === "stage" && message.name === "new"],
    ["at the first step of the next stage", (message) => message.kind === "step" && message.step === 7],
  ];
  let seenAfter = false;
  let whole: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    whole = await run(recipe("boundary"));
  });

  test.each(cuts)("cut %s, the run ends as if it had not been", async (name, isHere) => {
    const output = `cut ${name.replaceAll(" ", "-")}`;
    seenAfter = false;
    await expect(
      run(recipe(output), {}, (message) => {
        if (message.kind === "measured" && message.moment === "after") seenAfter = true;
        if (isHere(message)) throw new Error("cut here");
      }),
    ).rejects.toThrow(/cut here/);
    const rest = await run(recipe(output), { resume: true });
    expect(await hash(output)).toBe(await hash("boundary"));
    expect(await hash(output, "model-average")).toBe(await hash("boundary", "model-average"));
    expect(await hash(output, "models/old")).toBe(await hash("boundary", "models/old"));
    const store = openStore(join(folder, ".perennial/store.db"), { mode: "read" });
    const evaluations = (id: string) => store.evaluations.read(store.runs.find(id).key, "bitsPerByte");
    const rates = (id: string) => store.metrics.read(store.runs.find(id).key, "learningRate");
    expect(evaluations(rest.runId)).toEqual(evaluations(whole.runId));
    expect(rates(rest.runId)).toEqual(rates(whole.runId));
    store.close();
  });
});

test("the learning rate at the start of a stage: rewarm, reset, keep — also after a cut", async () => {
  const rate = (n: number) => (n < 2 ? (4e-3 * n) / 2 : 4e-3 * Math.sqrt(2 / n));
  const expected = { rewarm: [0, 1, 2, 3, 4, 5].map(rate), keep: [6, 7, 8, 9, 10, 11].map(rate) };
  for (const learningRate of ["rewarm", "keep"] as const) {
    const recipe = (output: string) => onStart(short(output), { learningRate });
    const { steps } = await run(recipe(`rate-${learningRate}`), { until: 8 });
    const rest = await run(recipe(`rate-${learningRate}`), { resume: true });
    const rates = [...steps, ...rest.steps].map(({ report }) => report.learningRate);
    expect(rates).toHaveLength(12);
    for (const [i, value] of [...[0, 1, 2, 3, 4, 5].map(rate), ...expected[learningRate]].entries())
      expect(rates[i]).toBeCloseTo(value, 12);
  }
  const linear = onStart(short("rate-reset"), { learningRate: "reset" });
  linear.train = { ...linear.train, schedule: { schedule: "linear", maxLearningRate: 6e-3, minLearningRate: 0, warmupSteps: 2 } };
  const { steps } = await run(linear);
  // Without a warm-up the decay takes all six steps: 6e-3 · (1 − n/6).
  for (const [n, { report }] of steps.slice(6).entries()) expect(report.learningRate).toBeCloseTo(6e-3 * (1 - n / 6), 12);
});

test("kept moments are another run than forgotten ones, and survive a cut", async () => {
  const recipe = (output: string, optimizer: "keep" | "reset") => onStart(short(output), { optimizer });
  await run(recipe("moments-keep", "keep"));
  await run(recipe("moments-reset", "reset"));
  expect(await hash("moments-keep")).not.toBe(await hash("moments-reset"));
  for (const until of [6, 7]) {
    await run(recipe(`moments-${until}`, "keep"), { until });
    await run(recipe(`moments-${until}`, "keep"), { resume: true });
    expect(await hash(`moments-${until}`)).toBe(await hash("moments-keep"));
  }
});

test("measuring, writing text and saving do not touch training", async () => {
  await run(short("quiet", { checkpoints: { everySteps: "never" }, generate: { prompts: [] } }));
  await run(
    short("busy", {
      checkpoints: { everySteps: 1 },
      evaluate: { everySteps: 1, maxTokensPerCorpus: 300, bootstrapResamples: 20 },
      generate: { prompts: [{ label: "a", prompt: "the sea" }], maxNewTokens: 9, temperature: 1 },
    }),
  );
  expect(await hash("busy")).toBe(await hash("quiet"));
});

test("a damaged newest checkpoint is told of, and the one before leads to the same end", async () => {
  await run(short("torn"), { until: 5 });
  expect(readdirSync(join(folder, "torn/main/checkpoints"))).toEqual(["000004", "000005"]);
  truncateSync(join(folder, "torn/main/checkpoints/000005/model/model.safetensors"), 5000);
  const { warnings } = await run(short("torn"), { resume: true });
  expect(warnings).toEqual([expect.stringMatching(/000005\/model\/model.safetensors: the checkpoint is damaged .* using the one before/)]);
  await run(short("not-torn"));
  expect(await hash("torn")).toBe(await hash("not-torn"));
});

test("the average of the weights is measured beside them and saved", async () => {
  const { runId, folder: output } = await run(short("average"));
  const store = openStore(join(folder, ".perennial/store.db"), { mode: "read" });
  const { key } = store.runs.find(runId);
  const [weights, average] = ["bitsPerByte", "bitsPerByte/average"].map((metric) => store.evaluations.read(key, metric));
  store.close();
  expect(average!.map(({ stage, moment, corpus }) => [stage, moment, corpus])).toEqual([
    [1, "after", "new"],
    [1, "after", "old"],
  ]);
  const after = weights!.filter(({ stage, moment }) => stage === 1 && moment === "after");
  for (const [i, { value }] of average!.entries()) expect(value).not.toBe(after[i]!.value);
  expect(existsSync(join(output, "model-average/tokenizer.json")) || existsSync(join(output, "model-average/tokenizer_config.json"))).toBe(
    true,
  );
  expect(await hash("average", "model-average")).not.toBe(await hash("average"));
});
