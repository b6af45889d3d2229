import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadModel } from "../../model/index.ts";
import { ChatTemplate, loadTokenizer } from "../../tokenizer/index.ts";
import { evaluateTasks, samplesJson, TaskIndex, type TasksResult } from "./index.ts";
import { expectResponse, expectResults, expectSamples, type HarnessRun } from "./testing/harness.ts";

// Made by tools/golden/lm_eval_tasks.py.
type Run = HarnessRun & { readonly max_length: number };
const here = (path: string) => new URL(path, import.meta.url).pathname;
const golden = JSON.parse(readFileSync(here("./golden/lm-eval.json"), "utf8")) as {
  resamples: number;
  tiny: Run;
  base: Run;
  chat: { template: string; multiturn: Run["samples"]; one_turn: Run["samples"] };
};
const FOLDERS = { tiny: here("./golden/model"), base: here("../../../../../examples/quickstart/base") };
const NAMES = ["everything", "pages", "answer", "translate"];

async function evaluated(name: keyof typeof FOLDERS, batchSize: number, resamples: number): Promise<TasksResult> {
  const { model } = loadModel(FOLDERS[name]);
  const tokenizer = await loadTokenizer(FOLDERS[name]);
  const selection = new TaskIndex([here("./golden/tasks")]).select(NAMES);
  return evaluateTasks({ model, tokenizer, name }, selection, { maxLength: golden[name].max_length, batchSize, resamples });
}

test.each(["tiny", "base"] as const)("%s: prompts, answers, metrics and errors of lm-evaluation-harness", async (name) => {
  const result = await evaluated(name, 4, golden.resamples);
  for (const task of result.tasks) expectSamples(task, golden[name].samples[task.config.task]!);
  expectResults(result, golden[name]);
  expect(result.json.groups).toMatchObject({ everything: { alias: "Everything" } });
});

test.each([
  ["multiturn", true],
  ["one_turn", false],
] as const)("in the words of a chat template (%s): what the harness asks, and what it is answered", async (kind, fewshotAsMultiturn) => {
  const { model } = loadModel(FOLDERS.tiny);
  const tokenizer = await loadTokenizer(FOLDERS.tiny);
  const selection = new TaskIndex([here("./golden/tasks")]).select(["everything", "answer", "translate"]);
  const { tasks, json } = await evaluateTasks({ model, tokenizer, name: "tiny" }, selection, {
    ...{ maxLength: 256, resamples: 0, limit: 3, systemInstruction: "Answer briefly.", fewshotAsMultiturn },
    chatTemplate: new ChatTemplate(golden.chat.template, { bos_token: "<s>", eos_token: "</s>" }),
  });
  expect(tasks.map(({ config }) => config.task).sort()).toEqual(Object.keys(golden.chat[kind]).sort());
  for (const task of tasks)
    for (const { doc_id, filter, arguments: args, resps } of golden.chat[kind][task.config.task]!) {
      const where = `${task.config.task} ${doc_id}`;
      const { arguments: asked, responses } = task.items[doc_id as number]!;
      expect(task.items[doc_id as number]!.byFilter).toHaveProperty(filter);
      expect(asked.map((request) => request.filter((value) => typeof value === "string"))).toEqual(
        (args as unknown[][]).map((request) => request.filter((value) => typeof value === "string")),
      );
      for (const [i, [first]] of resps.entries()) {
        const own = responses[i]![0];
        expectResponse(Array.isArray(own) ? [String(own[0]), own[1] === true ? "True" : "False"] : own, first, where);
      }
    }
  expect(json).toMatchObject({ fewshot_as_multiturn: fewshotAsMultiturn, chat_template: golden.chat.template });
  expect(json.chat_template_sha).toMatch(/^[0-9a-f]{64}$/);
});

test("a score does not depend on the batch: 1, 3 and 8 give the same bits", async () => {
  const runs = [];
  for (const batchSize of [1, 3, 8]) {
    const { tasks } = await evaluated("tiny", batchSize, 0);
    runs.push(tasks.map((task) => ({ items: samplesJson(task), scores: task.scores })));
  }
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]).toEqual(runs[0]);
});
