import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recipeJsonSchema } from "./json-schema.ts";
import { planOf } from "./plan.ts";
import { recipeReference } from "./reference.ts";
import { resolveText } from "./resolve.ts";
import { starterRecipe } from "./starter.ts";

const starter = (...set: string[]) => resolveText(starterRecipe("s.json"), "r.yaml", { set }).variants;

test("the starter resolves, with its baseline, and plans to the token", () => {
  const [main, naive] = starter("train.tokens=1M", "train.gradientAccumulationSteps=4");
  const plan = planOf(main, { worldSize: 2 });
  // 8 · 512 · 4 · 2 = 32,768 tokens a step, ⌈10⁶ / 32,768⌉ = 31 steps.
  expect(plan.stages).toEqual([
    {
      name: "new",
      position: 0,
      startStep: 0,
      steps: 31,
      fullSteps: 31,
      tokensPerStep: 32_768,
      gradientAccumulationSteps: 4,
      tokens: 31 * 32_768,
      sources: [
        { corpus: "new", share: 0.75, sampling: "temperature", kindShare: 0.75, replayed: false },
        { corpus: "old", share: 0.25, sampling: "temperature", kindShare: 0.25, replayed: true },
      ],
      evaluations: 1,
      checkpoints: 1,
    },
  ]);
  expect(planOf(naive!).stages[0]!.sources).toEqual([{ corpus: "new", share: 1, sampling: "temperature", kindShare: 1, replayed: false }]);
});

test("tokensPerStep sets the accumulation, or is refused with the nearest that work", () => {
  expect(planOf(starter("train.tokensPerStep=16384")[0]).stages[0]!.gradientAccumulationSteps).toBe(4);
  expect(() => planOf(starter("train.tokensPerStep=10k")[0])).toThrow(
    "stages[0].train.tokensPerStep: expected a multiple of microBatchSize · sequenceLength · processes = 4096, received 10000. Write 8192 or 12288.",
  );
});

const committed = (path: string) => {
  const url = new URL(path, import.meta.url);
  return existsSync(url) ? readFileSync(url, "utf8") : "";
};

test("the committed JSON Schema and reference are current (tools/generate-recipe-docs.ts writes them)", () => {
  expect(JSON.parse(committed("../../recipe.schema.json") || "null")).toEqual(JSON.parse(JSON.stringify(recipeJsonSchema())));
  expect(committed("../../../../docs/recipe-reference.md")).toBe(recipeReference());
});

test("every field of the recipe that is not just a kind has a description", () => {
  const missing: string[] = [];
  const walk = (schema: ReturnType<typeof recipeJsonSchema> | object, path: string) => {
    for (const [key, value] of Object.entries(schema)) {
      if (key === "properties")
        for (const [name, property] of Object.entries(value as Record<string, { description?: string; const?: unknown }>))
          if (property.description === undefined && property.const === undefined) missing.push(`${path}.${name}`);
      if (typeof value === "object" && value !== null) walk(value as object, key === "properties" ? path : `${path}.${key}`);
    }
  };
  walk(recipeJsonSchema(), "");
  expect(missing).toEqual([]);
});
