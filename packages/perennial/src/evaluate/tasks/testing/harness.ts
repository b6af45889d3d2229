/** What lm-evaluation-harness wrote, beside what is computed here. */
import { expect } from "vitest";
import { samplesJson, type TaskResult, type TasksResult } from "../index.ts";

export type Json = Record<string, unknown>;
export interface HarnessSample extends Json {
  readonly filter: string;
  readonly doc_id: number;
  readonly arguments: unknown;
  readonly resps: unknown[][];
  readonly filtered_resps: unknown;
  readonly target?: unknown;
  readonly scores?: Json;
}
export interface HarnessRun extends Json {
  readonly results: Record<string, Record<string, number | string>>;
  readonly samples: Record<string, HarnessSample[]>;
}

/** Items of a task: what was asked (word by word), what was answered, and how that scores. */
export function expectSamples(task: TaskResult, expected: readonly HarnessSample[]): void {
  const samples = samplesJson(task);
  expect(samples.length).toBe(expected.length);
  for (const { filter, doc_id, resps, filtered_resps, scores = {}, arguments: args, target, ...exact } of expected) {
    const ours = samples.find((sample) => sample.filter === filter && sample.doc_id === doc_id)!;
    const where = `${task.config.task} ${doc_id}`;
    expect(prompts(ours.arguments), where).toEqual(prompts(args));
    if (target !== undefined) expect(ours.target, where).toBe(String(target));
    for (const [key, value] of Object.entries(exact)) expect(ours[key], `${where} ${key}`).toEqual(value);
    for (const [i, [first]] of resps.entries()) expectResponse((ours.resps as unknown[][])[i]![0], first, where);
    if (task.config.outputType === "generate_until") expect(ours.filtered_resps, where).toEqual(filtered_resps);
    for (const [metric, value] of Object.entries(scores))
      if (typeof value === "number") expectClose(ours[metric], value, `${where} ${metric}`, 1e-6);
  }
}

/** Scores of tasks and groups with their errors, and what stands around them. */
export function expectResults({ json }: TasksResult, theirs: HarnessRun): void {
  for (const [task, metrics] of Object.entries(theirs.results))
    for (const [key, value] of Object.entries(metrics)) {
      const ours = (json.results as Record<string, Json>)[task]!;
      expectClose(ours[key], value, `${task} ${key}`, key.includes("_stderr") ? 1e-4 : 1e-5);
    }
  for (const key of ["group_subtasks", "versions", "n-shot", "n-samples"]) expect(json[key], key).toEqual(theirs[key]);
}

/** The harness' generation settings are listed in other words; the prompt is what counts. */
const prompts = (list: unknown) =>
  Object.values(list as Json).map((each) => Object.values(each as Json).filter((value) => typeof value === "string"));

/** Ours are texts, as in the harness' files: a list [nats, greedy], nats, or an answer. Theirs are the values before they were written. */
export function expectResponse(ours: unknown, theirs: unknown, where: string): void {
  if (typeof theirs === "string") expect(ours, where).toBe(theirs);
  else if (typeof theirs === "number") expectClose(Number(ours), theirs, where, 2e-6);
  else {
    const [nats, greedy] = theirs as [number, boolean];
    expect((ours as string[])[1], where).toBe(greedy ? "True" : "False");
    expectClose(Number((ours as string[])[0]), nats, where, 2e-6);
  }
}

function expectClose(ours: unknown, theirs: unknown, where: string, tolerance: number): void {
  if (typeof theirs !== "number") expect(ours, where).toEqual(theirs);
  else expect(Math.abs((ours as number) - theirs), `${where}: ${ours} ${theirs}`).toBeLessThan(tolerance * Math.max(1, Math.abs(theirs)));
}
