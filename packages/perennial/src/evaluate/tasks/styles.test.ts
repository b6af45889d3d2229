/** Task files as they are published (ARC, HellaSwag, MMLU with its groups, GSM8K, LAMBADA, WikiText), over data of our own. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadModel } from "../../model/index.ts";
import { loadTokenizer } from "../../tokenizer/index.ts";
import { evaluateTasks, TaskIndex } from "./index.ts";
import { expectResults, expectSamples, type HarnessRun, type Json } from "./testing/harness.ts";

// Made by tools/golden/lm_eval_styles.py.
const folder = new URL("./golden/styles", import.meta.url).pathname;
const golden = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8")) as {
  readonly resamples: number;
  readonly as_written: HarnessRun;
  readonly few_shot: HarnessRun & { readonly num_fewshot: number };
};
const MODEL = new URL("./golden/model", import.meta.url).pathname;

async function evaluated(names: readonly string[], options: { readonly numFewshot?: number; readonly limit?: number } = {}) {
  const { model } = loadModel(MODEL);
  const tokenizer = await loadTokenizer(MODEL);
  const common = { maxLength: 256, resamples: golden.resamples };
  return evaluateTasks({ model, tokenizer, name: "tiny" }, new TaskIndex([folder]).select(names), { ...common, ...options });
}

test("as they are written: prompts, answers, scores, groups weighted by size", async () => {
  const names = ["arc_easy", "hellaswag", "gsm8k", "lambada", "wikitext", "mmlu"].map((name) => `style_${name}`);
  const result = await evaluated(names);
  expect(result.tasks.map(({ config }) => config.task).sort()).toEqual(Object.keys(golden.as_written.samples).sort());
  for (const task of result.tasks) expectSamples(task, golden.as_written.samples[task.config.task]!);
  expectResults(result, golden.as_written);
  for (const [group, theirs] of Object.entries(golden.as_written.groups as Record<string, Json>))
    expect((result.json.groups as Record<string, Json>)[group], group).toMatchObject({
      alias: theirs.alias,
      sample_count: theirs.sample_count,
    });
});

test("with examples, and the first items only", async () => {
  const names = ["arc_easy", "hellaswag", "gsm8k", "mmlu"].map((name) => `style_${name}`);
  const { num_fewshot: numFewshot } = golden.few_shot;
  const result = await evaluated(names, { numFewshot, limit: 3 });
  for (const task of result.tasks) expectSamples(task, golden.few_shot.samples[task.config.task]!);
  expectResults(result, golden.few_shot);
});
