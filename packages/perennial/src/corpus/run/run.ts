/**
 * From raw shards to a corpus, or the rest of the way after a stop: every phase of places.ts in turn. Killed at any moment the same call goes
 * on where it was; the number of workers may be another one every time.
 */
import { setTimeout as pause } from "node:timers/promises";
import { readJson } from "../durable.ts";
import { holdRun } from "./lock.ts";
import type { CorpusManifest } from "./manifest.ts";
import { type CorpusPlan, type CorpusTask, isDone, type OpenOptions, openCorpus, PHASES, type Phase, places, tasksOf } from "./plan.ts";
import { WorkerPool } from "./pool.ts";
import { setShardAside } from "./read-phase.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { runCorpusTask } from "./tasks.ts";

/** A part of the tasks: those whose number is `index` modulo `count`. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

export interface RunOptions extends OpenOptions {
  /** Threads that work on tasks; 1: this one. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  /** Told after each task: it, and how many of its phase are done and there are in all. */
  readonly onTask?: (task: CorpusTask, done: number, all: number) => void;
  /** Told when progress inside a task is safe; with one worker only. */
  readonly onCheckpoint?: () => void;
}

/**
 * Throws the signal's reason when it is aborted; what was done stays. Look at `failures` of the manifest: a shard may have been unreadable.
 * With a share, this machine does its part of each phase and waits for the others' before the next.
 */
export async function runCorpus(
  folder: string,
  recipe: CorpusRecipeInput,
  options: RunOptions & { readonly share?: Share } = {},
): Promise<CorpusManifest> {
  const { share = { index: 0, count: 1 } } = options;
  const release = holdRun(folder, shareName("run", share));
  try {
    const plan = await openCorpus(folder, recipe, options);
    await withWorkers(folder, plan, options, async (run) => {
      for (const phase of PHASES) {
        await run(mine(plan, phase, share), tasksOf(plan, phase).length);
        if (share.count > 1) await others(folder, plan, phase, options.signal);
      }
    });
  } finally {
    release();
  }
  return readJson<CorpusManifest>(places.manifest(folder))!;
}

/** The tasks of one phase, or this share of them: what a member of a job array does. */
export async function runCorpusStage(
  folder: string,
  plan: CorpusPlan,
  phase: Phase,
  { share = { index: 0, count: 1 }, ...options }: Omit<RunOptions, "redo"> & { readonly share?: Share } = {},
): Promise<void> {
  const release = holdRun(folder, shareName(phase, share));
  try {
    await withWorkers(folder, plan, options, (run) => run(mine(plan, phase, share), tasksOf(plan, phase).length));
  } finally {
    release();
  }
}

const shareName = (what: string, { index, count }: Share) => `${what}-${index}-of-${count}`;

const mine = (plan: CorpusPlan, phase: Phase, { index, count }: Share): CorpusTask[] =>
  tasksOf(plan, phase).filter((task) => task.index % count === index);

async function withWorkers(
  folder: string,
  plan: CorpusPlan,
  { workers = 1, signal, onTask, onCheckpoint }: Omit<RunOptions, "redo">,
  work: (run: (tasks: readonly CorpusTask[], all: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  let pool: WorkerPool | undefined;
  // What a stopped thread has under way goes on at its last checkpoint next time.
  const stop = () => void pool?.close();
  signal?.addEventListener("abort", stop);
  const checkpoint = () => {
    onCheckpoint?.();
    signal?.throwIfAborted();
  };
  try {
    await work(async (tasks, all) => {
      signal?.throwIfAborted();
      const open = tasks.filter((task) => !isDone(folder, task));
      let done = all - open.length;
      const told = (task: CorpusTask) => onTask?.(task, ++done, all);
      if (workers > 1 && open.length > 1) {
        pool ??= new WorkerPool({ folder, workers, retries: plan.recipe.reading.retries, setAside });
        await pool.run(open, told);
      } else
        for (const task of open) {
          await runCorpusTask(folder, task, checkpoint);
          told(task);
          signal?.throwIfAborted();
        }
      signal?.throwIfAborted();
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    await pool?.close();
  }

  async function setAside(task: CorpusTask, reason: string): Promise<boolean> {
    if (task.phase !== "read") return false;
    await setShardAside(folder, task, reason);
    return true;
  }
}

const FIRST_LOOK_MILLISECONDS = 50;
const LAST_LOOK_MILLISECONDS = 2000;

/** Until the machines that have the other shares are done with a phase; looks less often the longer it takes. */
async function others(folder: string, plan: CorpusPlan, phase: Phase, signal?: AbortSignal): Promise<void> {
  let wait = FIRST_LOOK_MILLISECONDS;
  for (const task of tasksOf(plan, phase))
    while (!isDone(folder, task)) {
      await pause(wait, undefined, signal ? { signal } : {});
      wait = Math.min(LAST_LOOK_MILLISECONDS, 1.5 * wait);
    }
}
