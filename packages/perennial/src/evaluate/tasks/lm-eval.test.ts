import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadModel } from "../../model/index.ts";
import { ChatTemplate, loadTokenizer } from "../../tokenizer/index.ts";
import { evaluateTasks, samplesJson, TaskIndex, type TasksResult } from "./index.ts";

/** What lm-evaluation-harness wrote; made by tools/golden/lm_eval_tasks.py. */
type Json = Record<string, unknown>;
interface Run extends Json {
  max_length: number;
  results: Record<string, Record<string, number | string>>;
  samples: Record<string, (Json & { filter: string; resps: string[][]; scores: Json })[]>;
}
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

const close = (ours: unknown, theirs: unknown, where: string, tolerance: number) => {
  if (typeof theirs !== "number") return expect(ours, where).toEqual(theirs);
  expect(Math.abs((ours as number) - theirs), `${where}: ${ours} ${theirs}`).toBeLessThan(tolerance * Math.max(1, Math.abs(theirs)));
};

test.each(["tiny", "base"] as const)("%s: prompts, answers, metrics and errors of lm-evaluation-harness", async (name) => {
  const theirs = golden[name];
  const { tasks, json } = await evaluated(name, 4, golden.resamples);
  for (const task of tasks) {
    const samples = samplesJson(task);
    const expected = theirs.samples[task.config.task]!;
    expect(samples.length).toBe(expected.length);
    for (const { filter, doc_id, resps, filtered_resps, scores, arguments: args, target, ...exact } of expected) {
      const ours = samples.find((sample) => sample.filter === filter && sample.doc_id === doc_id)!;
      const where = `${task.config.task} ${doc_id}`;
      // The harness' generation settings are listed in other words; the prompt is what counts.
      const prompts = (list: unknown) =>
        Object.values(list as Json).map((each) => Object.values(each as Json).filter((value) => typeof value === "string"));
      expect(prompts(ours.arguments), where).toEqual(prompts(args));
      expect(ours.target, where).toBe(String(target));
      for (const [key, value] of Object.entries(exact)) expect(ours[key], `${where} ${key}`).toEqual(value);
      for (const [i, [first]] of resps.entries()) compareResponse((ours.resps as unknown[][])[i]![0], first, where);
      if (task.config.outputType === "generate_until") expect(ours.filtered_resps, where).toEqual(filtered_resps);
      for (const [metric, value] of Object.entries(scores))
        if (typeof value === "number") close(ours[metric], value, `${where} ${metric}`, 1e-6);
    }
  }
  for (const [task, metrics] of Object.entries(theirs.results))
    for (const [key, value] of Object.entries(metrics)) {
      const ours = (json.results as Record<string, Json>)[task]!;
      close(ours[key], value, `${task} ${key}`, key.includes("_stderr") ? 1e-4 : 1e-5);
    }
  for (const key of ["group_subtasks", "versions", "n-shot", "n-samples"]) expect(json[key], key).toEqual(theirs[key]);
  expect(json.groups).toMatchObject({ everything: { alias: "Everything" } });
});

/** Ours are texts, as in the harness' files: a list [nats, greedy], nats, or an answer. Theirs are the values before they were written. */
function compareResponse(ours: unknown, theirs: unknown, where: string) {
  if (typeof theirs === "string") expect(ours, where).toBe(theirs);
  else if (typeof theirs === "number") close(Number(ours), theirs, where, 2e-6);
  else {
    const [nats, greedy] = theirs as [number, boolean];
    expect((ours as string[])[1], where).toBe(greedy ? "True" : "False");
    close(Number((ours as string[])[0]), nats, where, 2e-6);
  }
}

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
        compareResponse(Array.isArray(own) ? [String(own[0]), own[1] === true ? "True" : "False"] : own, first, where);
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
