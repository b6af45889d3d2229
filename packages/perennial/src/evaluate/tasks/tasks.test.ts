import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel } from "../../model/index.ts";
import { loadTokenizer } from "../../tokenizer/index.ts";
import { aggregate } from "./aggregation.ts";
import { readSplit } from "./data.ts";
import { filterOf } from "./filters.ts";
import { compareTasks, evaluateTasks, runTask, TaskIndex, TaskModel } from "./index.ts";

const here = (path: string) => new URL(path, import.meta.url).pathname;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-tasks-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const CHOICE = `task: t
output_type: multiple_choice
data: { test: d.jsonl }
test_split: test
doc_to_text: q
doc_to_choice: ["a", "b"]
doc_to_target: 0
`;

test.each([
  ["process_docs: !function utils.f", 8, "!function runs Python code and is refused"],
  ["process_results: x", 8, "Choose metrics in metric_list."],
  ["doc_to_txt: q", 8, "Did you mean doc_to_text?"],
  ["num_fewshot: -1", 8, "num_fewshot: expected a whole number, received -1"],
  ["metric_list: [{ metric: bleu }]", 8, "metric_list[0].metric: expected for multiple_choice one of acc"],
  ["metric_list: [{ metric: acc, aggregation: meen }]", 8, "aggregation: expected one of mean"],
  ["filter_list: [{ name: x, filter: [{ function: regex }] }]", 8, "only take_first"],
  ["generation_kwargs: { untill: [x] }", 8, "Did you mean until?"],
  ["fewshot_config: { sampler: balanced }", 8, "one of default, first_n"],
  ["a: [", 9, "expected YAML"],
])("%s is an error with its line", async (line, number, message) => {
  write("d.jsonl", '{"q": "x"}\n');
  const path = write("bad.yaml", `${CHOICE}${line}\n`);
  const run = async () => runTask(undefined as never, new TaskIndex([path]).select().tasks[0]!);
  await expect(run()).rejects.toThrow(`${path}:${number}`);
  await expect(run()).rejects.toThrow(message);
});

test("what is missing is told", () => {
  expect(() => new TaskIndex([join(folder, "none")])).toThrow("no such file or folder");
  expect(() => new TaskIndex([write("empty/x.txt", "")].map((path) => join(path, "..")))).toThrow("at least one .yaml file");
  const hub = write("hub.yaml", CHOICE.replace("data: { test: d.jsonl }", "dataset_path: cais/mmlu"));
  expect(() => new TaskIndex([hub]).select()).toThrow(/hub\.yaml:3 dataset_path: expected local data.*Nothing is downloaded/);
  const good = write("good.yaml", CHOICE);
  expect(() => new TaskIndex([good]).select(["tt"])).toThrow(
    '--task: expected the name of a task, a group or a tag, received "tt". Did you mean t?',
  );
});

test("includes, groups, tags and overrides give the tasks their fields", () => {
  write("g/_base.yaml", CHOICE.replace("task: t\n", "num_fewshot: 3\ndescription: below\n"));
  write("g/one.yaml", "include: _base.yaml\ntask: one\ntag: few\ndescription: own\n");
  write("g/two.yaml", "include: _base.yaml\ntask: two\ngroup: old_style\n");
  write(
    "g/all.yaml",
    `group: all
task:
  - one
  - { task: two, num_fewshot: 7 }
  - { group: inner, task: [few], aggregate_metric_list: { metric: acc } }
  - { task: fresh, include: [], ${CHOICE.replace("task: t\n", "").trim().replaceAll("\n", ", ").replace("d.jsonl", "e.jsonl")} }
`.replace("include: [], ", ""),
  );
  const index = new TaskIndex([join(folder, "g")]);
  const { tasks, groups } = index.select(["all"]);
  expect(tasks.map(({ task, numFewshot, description }) => [task, numFewshot, description])).toEqual([
    ["one", 3, "own"],
    ["two", 7, "below"],
    ["all::fresh", undefined, ""],
  ]);
  expect(tasks[2]!.splits.test).toEqual([join(folder, "g", "e.jsonl")]);
  expect(groups[0]!.children).toEqual(["one", "two", expect.objectContaining({ name: "all::inner", children: ["one"] }), "all::fresh"]);
  expect(index.select(["old_style"]).tasks.map(({ task }) => task)).toEqual(["two"]);
  write("g/loop.yaml", "include: loop.yaml\ntask: loop\n");
  expect(() => new TaskIndex([join(folder, "g/loop.yaml")])).toThrow("no circle of includes");
});

test("rows come from JSON lines, lists and Parquet alike, gaps are null", async () => {
  const rows = [{ text: "a", n: 1 }, { text: "b" }];
  const lines = write("r.jsonl", rows.map((row) => `${JSON.stringify(row)}\n\n`).join(""));
  const list = write("r.json", JSON.stringify(rows));
  const table = join(folder, "r.parquet");
  const columns = [
    { name: "text", data: ["a", "b"] },
    { name: "n", data: [1, null], nullable: true, type: "INT32" as const },
  ];
  writeFileSync(table, new Uint8Array(parquetWriteBuffer({ columnData: columns })));
  for (const file of [lines, list, table]) {
    const { docs, features } = await readSplit([file], "t");
    expect(docs).toEqual([
      { text: "a", n: 1 },
      { text: "b", n: null },
    ]);
    expect([...features]).toEqual(["text", "n"]);
  }
  await expect(readSplit([write("broken.jsonl", '{"a": 1}\n{"a": \n')], "t")).rejects.toThrow("broken.jsonl:2: expected JSON");
  await expect(readSplit([write("void.jsonl", "")], "t.yaml:3 data")).rejects.toThrow("t.yaml:3 data: expected at least one row");
});

test("filters", () => {
  const run = (answers: string[], ...filter: Record<string, unknown>[]) =>
    filterOf({ name: "f", filter: filter as never }, "f")(answers, { choices: ["Guilty", "Guilty of Romance"] });
  const first = { function: "take_first" };
  expect(run(["#### -1,200 x"], { function: "regex" }, first)).toBe("-1,200");
  expect(run(["none"], { function: "regex", fallback: "?" }, first)).toBe("?");
  expect(run(["a", "b", "b"], { function: "majority_vote" }, first)).toBe("b");
  expect(run(["a", "b", "b"], { function: "take_first_k", k: 1 })).toBe("a");
  expect(
    run([" Yes "], { function: "remove_whitespace" }, { function: "map", mapping_dict: { Yes: "1" }, default_value: "0" }, first),
  ).toBe("1");
  expect(
    run(["it is guilty of romance!"], { function: "multi_choice_regex", regex_pattern: "\\(([A-Z])\\)", ignore_case: true }, first),
  ).toBe("(B)");
  expect(run(["Answer: A"], { function: "multi_choice_regex", regex_pattern: "\\(([A-Z])\\)" }, first)).toBe("(A)");
  expect(() => run(["a", "b"], { function: "lowercase" })).toThrow("End it with take_first.");
  expect(() => run(["a"], { function: "custom" })).toThrow("custom filters run Python code".replace("c", "C"));
  expect(() => run(["a"], { function: "regex", pattern: "x" })).toThrow("Known are");
});

test("aggregations", () => {
  expect(aggregate("mean", [1, 0, 1, 1], 10)).toEqual({ value: 0.75, standardError: 0.25 });
  expect(
    aggregate(
      "f1",
      [
        [1, 1],
        [0, 1],
        [1, 0],
        [0, 0],
      ],
      0,
    ),
  ).toEqual({ value: 0.5, standardError: null });
  expect(
    aggregate(
      "matthews_corrcoef",
      [
        [0, 0],
        [1, 1],
        [2, 1],
        [2, 2],
      ],
      0,
    ).value,
  ).toBeCloseTo(0.7, 1);
  expect(aggregate("median", [3, 1, 2], 0).value).toBe(2);
  expect(
    aggregate(
      "bits_per_byte",
      [
        [-Math.LN2, 4],
        [-3 * Math.LN2, 4],
      ],
      0,
    ).value,
  ).toBeCloseTo(0.5, 12);
  expect(() => aggregate("f1", [[2, 1]], 0)).toThrow("use mcc for more".replace("u", "U"));
});

test("two models are compared item by item; a model ties with itself", async () => {
  const [first, second] = [here("./golden/model"), here("../../../../../examples/quickstart/base")];
  const selection = new TaskIndex([here("./golden/tasks")]).select(["letters", "pages"]);
  const run = async (path: string, limit: number) =>
    evaluateTasks({ model: loadModel(path).model, tokenizer: await loadTokenizer(path), name: path }, selection, {
      limit,
      resamples: 0,
      maxLength: 256,
    });
  const [a, b, shorter] = [await run(first, 8), await run(second, 8), await run(first, 5)];
  const compared = compareTasks(a.tasks, b.tasks);
  const acc = compared.find(({ metric }) => metric === "acc")!;
  expect(acc.difference).toBeCloseTo(acc.system - acc.baseline, 12);
  expect(acc.mcnemar!.onlySystem - acc.mcnemar!.onlyBaseline).toBeCloseTo(8 * acc.difference, 9);
  // A trained model predicts pages far better than a random one, whatever their vocabularies.
  const bits = compared.find(({ task, metric }) => task === "pages" && metric === "bits_per_byte")!;
  expect(bits.high).toBeLessThan(0);
  expect(bits.pValue).toBeLessThan(0.01);
  for (const { difference, pValue } of compareTasks(a.tasks, a.tasks)) expect([difference, pValue]).toEqual([0, 1]);
  expect(() => compareTasks(a.tasks, shorter.tasks)).toThrow("the same items for both models");
});

test("answers stop at their stop text, and sampling depends on the item alone", async () => {
  const path = here("./golden/model");
  const tokenizer = await loadTokenizer(path);
  const model = new TaskModel(loadModel(path).model, tokenizer);
  const generation = { until: ["e"], maxGenToks: 20, temperature: 1, topK: undefined, topP: undefined };
  const requests = ["one", "two and some more words to make it longer", "three"].map((prompt, i) => ({
    prompt,
    generation,
    name: `t:${i}`,
  }));
  const texts = model.generateUntil(requests, { batchSize: 3 });
  expect(texts.join("")).not.toContain("e");
  expect(model.generateUntil(requests, { batchSize: 1 })).toEqual(texts);
  expect(model.generateUntil(requests.slice(1), { batchSize: 2 })).toEqual(texts.slice(1));
  expect(model.generateUntil(requests, { seed: 1 })).not.toEqual(texts);
});
