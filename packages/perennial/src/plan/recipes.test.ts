/** What is shipped can be loaded: the mixture methods' recipes, each with a baseline, and their plans. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadRecipe } from "../recipe/index.ts";
import { corpusSizes } from "../run/index.ts";
import { loadPlan, outlinePlan } from "./index.ts";

const at = (path: string) => fileURLToPath(new URL(`../../../../recipes/${path}`, import.meta.url));

test.each(["afriquellm", "multilingual-data-mixing", "marco-llm", "llama-3-syne", "in-context-pretraining"])(
  "recipes/%s resolves, finds its text and carries a baseline",
  async (name) => {
    const path = at(`${name}/recipe.yaml`);
    const { variants } = loadRecipe(path);
    expect(variants.length).toBeGreaterThan(1);
    expect(new Set(variants.map((variant) => JSON.stringify(variant.stages))).size).toBe(variants.length);
    for (const { tokens } of await corpusSizes(variants[0], dirname(path))) expect(tokens).toBeGreaterThan(10_000);
  },
);

test.each(["cmr-law", "d-cpt-law"])("recipes/%s is a plan that can be outlined", async (name) => {
  const path = at(`${name}/plan.yaml`);
  const { pilots, corpora } = await outlinePlan(loadPlan(path), dirname(path));
  expect(pilots).toHaveLength(5);
  expect(corpora.domain.tokens).toBeGreaterThan(100_000);
});
