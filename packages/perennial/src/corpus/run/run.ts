/**
 * From raw shards to a corpus, or the rest of the way after a stop: read → thresholds → signatures → buckets → clusters → write →
 * manifest. Killed at any moment the same call goes on where it was; the number of workers may be another one every time.
 */
import { readJson } from "../durable.ts";
import type { CorpusManifest } from "./manifest.ts";
import { type CorpusTask, isDone, openCorpus, PHASES, places, tasksOf } from "./plan.ts";
import { WorkerPool } from "./pool.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { runCorpusTask } from "./tasks.ts";

export interface RunOptions {
  /** Threads that work on tasks; 1: this one. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onTask?: (task: CorpusTask) => void;
  /** Told when progress inside a task is safe; with one worker only. */
  readonly onCheckpoint?: () => void;
}

/** Throws the signal's reason when it is aborted; what was done stays. Look at `failures` of the manifest: a shard may have been unreadable. */
export async function runCorpus(folder: string, recipe: CorpusRecipeInput, options: RunOptions = {}): Promise<CorpusManifest> {
  const { workers = 1, signal, onTask, onCheckpoint } = options;
  const plan = openCorpus(folder, recipe);
  let pool: WorkerPool | undefined;
  try {
    for (const phase of PHASES) {
      signal?.throwIfAborted();
      const open = tasksOf(plan, phase).filter((task) => !isDone(folder, task));
      if (workers > 1 && open.length > 1) {
        pool ??= new WorkerPool(folder, workers);
        await pool.run(open, onTask, signal);
        continue;
      }
      for (const task of open) {
        signal?.throwIfAborted();
        await runCorpusTask(folder, task, onCheckpoint);
        onTask?.(task);
      }
    }
  } finally {
    await pool?.close();
  }
  return readJson<CorpusManifest>(places.manifest(folder))!;
}
