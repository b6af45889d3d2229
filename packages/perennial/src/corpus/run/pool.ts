/** Tasks on worker threads. A thread asks for the next task when it is done with one, so that none waits and nothing piles up. */
import type { Worker } from "node:worker_threads";
import { PerennialError } from "../../errors.ts";
import { startThread } from "../../thread.ts";
import type { CorpusTask } from "./plan.ts";

/** What a worker tells: a task is done, or why it is not. */
export type WorkerReport = { readonly done: CorpusTask } | { readonly failed: CorpusTask; readonly code: string; readonly message: string };

export interface PoolOptions {
  readonly folder: string;
  readonly workers: number;
  /** How often a task is begun again whose thread died under it: out of memory, say. */
  readonly retries: number;
  /** Asked when the tries are used up: true if the run can go on without the task. */
  readonly setAside: (task: CorpusTask, reason: string) => Promise<boolean>;
}

export class WorkerPool {
  private readonly options: PoolOptions;
  private readonly threads: Worker[];
  private closed = false;

  constructor(options: PoolOptions) {
    this.options = options;
    this.threads = Array.from({ length: options.workers }, () => this.start());
  }

  /** Runs all tasks; the first failure ends it. Closed under way, it ends at once: what is under way goes on at its last checkpoint next time. */
  async run(tasks: readonly CorpusTask[], onDone?: (task: CorpusTask) => void): Promise<void> {
    const open = [...tasks];
    try {
      await Promise.all(
        this.threads.slice(0, tasks.length).map(async (_, slot) => {
          for (let task = open.shift(); task && !this.closed; task = open.shift()) {
            await this.runOn(slot, task);
            onDone?.(task);
          }
        }),
      );
    } finally {
      open.length = 0;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.threads.map((worker) => worker.terminate()));
  }

  private start(): Worker {
    // An error is told by the task that meets it; without one under way it shows at the next.
    return startThread(new URL("./worker.ts", import.meta.url), { workerData: { folder: this.options.folder } })
      .setMaxListeners(0)
      .on("error", () => {});
  }

  private async runOn(slot: number, task: CorpusTask): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        return await runOn(this.threads[slot]!, task);
      } catch (error) {
        if (!(error instanceof WorkerDied) || this.closed) throw error;
        this.threads[slot] = this.start();
        if (++failures <= this.options.retries) continue;
        if (await this.options.setAside(task, error.message)) return;
        throw error;
      }
    }
  }
}

/** The thread ended under a task; the task did not say why. */
class WorkerDied extends PerennialError {}

function runOn(worker: Worker, task: CorpusTask): Promise<void> {
  const name = `${task.phase} ${task.index}`;
  return new Promise((resolve, reject) => {
    const told = (report: WorkerReport) =>
      settle(() => ("done" in report ? resolve() : reject(new PerennialError(report.code, `${name}: ${report.message}`))));
    const failed = (cause: Error) => settle(() => reject(new WorkerDied("CORPUS_WORKER", `${name}: ${cause.message}`, { cause })));
    const ended = (code: number) =>
      settle(() => reject(new WorkerDied("CORPUS_WORKER", `${name}: the worker ended with code ${code}. Run it again to resume.`)));
    const settle = (act: () => void) => {
      worker.off("message", told).off("error", failed).off("exit", ended);
      act();
    };
    worker.once("message", told).once("error", failed).once("exit", ended);
    worker.postMessage(task);
  });
}
