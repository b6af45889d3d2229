/**
 * How much faster are tasks scored in batches with shared contexts than one request at a time, and than by lm-evaluation-harness?
 *   npx tsx --conditions source bench/tasks/bench.ts [--model FOLDER] [--items 60] [--rounds 3] [--python PYTHON]
 * The same requests each time: multiple choice with four choices and a few examples before each question. Scores are compared first.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runTask, TaskIndex, TaskModel } from "perennial/evaluate/tasks";
import { openModel } from "perennial/run";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "examples/quickstart/base" },
    items: { type: "string", default: "60" },
    fewshot: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    python: { type: "string" },
  },
});
const [limit, numFewshot, rounds] = [Number(values.items), Number(values.fewshot), Number(values.rounds)];
const { model, tokenizer } = await openModel(values.model);
const taskModel = new TaskModel(model, tokenizer);

const folder = mkdtempSync(join(tmpdir(), "perennial-bench-"));
const data = new URL("../../examples/tasks/data/next-en.jsonl", import.meta.url).pathname;
const task = join(folder, "next.yaml");
writeFileSync(
  task,
  `task: next
dataset_path: json
dataset_kwargs: { data_files: { test: ${data} } }
test_split: test
fewshot_split: test
output_type: multiple_choice
doc_to_text: sentence
doc_to_choice: choices
doc_to_target: label
`,
);
const config = new TaskIndex([task]).select().tasks[0]!;
const options = { limit, numFewshot, resamples: 0 };

/** Every request by itself: one context, one continuation, one pass. */
async function oneAtATime() {
  const single = Object.assign(Object.create(TaskModel.prototype) as TaskModel, taskModel, {
    logLikelihoods: (requests: Parameters<TaskModel["logLikelihoods"]>[0]) =>
      requests.flatMap((request) => taskModel.logLikelihoods([request], { batchSize: 1 })),
  });
  return runTask(single, config, options);
}

const contenders: Record<string, () => Promise<number[]>> = {
  "batched, shared contexts": async () => sums(await runTask(taskModel, config, { ...options, batchSize: 16 })),
  "shared contexts, batch 1": async () => sums(await runTask(taskModel, config, { ...options, batchSize: 1 })),
  "one request at a time": async () => sums(await oneAtATime()),
};
const sums = ({ items }: Awaited<ReturnType<typeof runTask>>) =>
  items.flatMap(({ responses }) => responses.map(([response]) => (response as [number, boolean])[0]));

const seconds: Record<string, number[]> = {};
const note = (name: string, elapsed: number) => {
  seconds[name] = [...(seconds[name] ?? []), elapsed];
};
const timed = async (name: string, work: () => Promise<number[]>) => {
  const start = performance.now();
  const scores = await work();
  note(name, (performance.now() - start) / 1000);
  return scores;
};
let reference: number[] | undefined;
for (let round = 0; round < rounds; round++) {
  for (const [name, work] of Object.entries(contenders)) {
    const scores = await timed(name, work);
    reference ??= scores;
    const worst = Math.max(...scores.map((score, i) => Math.abs(score - reference![i]!)));
    if (worst > 1e-3) throw new Error(`${name}: scores differ by ${worst}`);
  }
  if (values.python !== undefined) {
    const peer = new URL("peer.py", import.meta.url).pathname;
    const run = spawnSync(values.python, [peer, values.model, folder, values.items, values.fewshot], { encoding: "utf8" });
    if (run.status !== 0) throw new Error(run.stderr);
    const { elapsed, scores } = JSON.parse(run.stdout.trim().split("\n").at(-1)!) as { elapsed: number; scores: number[] };
    note("lm-evaluation-harness, batch 16", elapsed);
    const worst = Math.max(...scores.map((score, i) => Math.abs(score - reference![i]!)));
    if (worst > 1e-3) throw new Error(`lm-evaluation-harness: scores differ by ${worst}`);
  }
}
rmSync(folder, { recursive: true });
const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
const best = median(seconds["batched, shared contexts"]!);
for (const [name, list] of Object.entries(seconds))
  console.log(
    `${name.padEnd(32)} ${median(list).toFixed(2)} s  ${(reference!.length / median(list)).toFixed(1)} requests/s  ${(median(list) / best).toFixed(2)}×`,
  );
