import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setNumThreads } from "@perennial/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { hashPath } from "../store/index.ts";
import { runRecipe } from "./run-recipe.ts";
import { tinyRecipe, writeTinyCorpora } from "./testing/tiny-recipe.ts";

let folder: string;
beforeAll(() => {
  setNumThreads(1);
  folder = mkdtempSync(join(tmpdir(), "experience-"));
  writeTinyCorpora(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mer = { share: 0.25, bufferTokens: 960, startStep: 3, reptile: { everySteps: 5, interpolation: 0.5 } };

/** Two stages, each on its own corpus, without any replay from corpora. */
const recipe = (output: string, experience: NonNullable<RecipeSpec["train"]>["experience"]) => {
  const spec = tinyRecipe(output);
  return resolveRecipe({
    ...spec,
    train: { ...spec.train, experience },
    stages: ["old", "new"].map((name) => ({ name, mixture: { sources: [{ corpus: name }] } })),
  });
};

async function run(output: string, experience: Parameters<typeof recipe>[1], more: { until?: number; resume?: boolean } = {}) {
  const [summary] = await runRecipe(recipe(output, experience), { baseFolder: folder, ...more });
  const { modelFolder, status, after } = summary!.result;
  return { status, after, hash: modelFolder === null ? null : (await hashPath(join(modelFolder, "model.safetensors"))).hash };
}

describe("one field: none, replay, MER", () => {
  test("each is another run; Reptile with ε = 1 is replay alone, to the bit", async () => {
    const none = await run("none", null);
    const replay = await run("replay", { ...mer, reptile: null });
    const both = await run("mer", mer);
    const idle = await run("idle", { ...mer, reptile: { everySteps: 5, interpolation: 1 } });
    expect(new Set([none.hash, replay.hash, both.hash]).size).toBe(3);
    expect(idle.hash).toBe(replay.hash);
    expect(replay.after.get("old")).toBeLessThan(none.after.get("old")!);
    expect(existsSync(join(folder, "mer/main/replay"))).toBe(false);
  });

  test.each([4, 8, 12, 17])("stopped at step %d and resumed it equals a run without a stop", async (until) => {
    const whole = await run(`whole-${until}`, mer);
    expect((await run(`cut-${until}`, mer, { until })).status).toBe("stopped");
    expect((await run(`cut-${until}`, mer, { resume: true })).hash).toBe(whole.hash);
  });

  test("a buffer for some stages only is refused", async () => {
    const resolved = recipe("some", mer);
    const [main] = resolved.variants;
    const broken = {
      ...main,
      stages: main.stages.map((stage, i) => (i === 0 ? stage : { ...stage, train: { ...stage.train, experience: null } })),
    };
    await expect(runRecipe({ ...resolved, variants: [broken] }, { baseFolder: folder })).rejects.toThrow("stage new train.experience");
  });
});
