/** Tasks on worker threads. A thread asks for the next task when it is done with one, so that none waits and nothing piles up. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { PerennialError } from "../../errors.ts";
import type { CorpusTask } from "./plan.ts";

/** What a worker tells: a task is done, or why it is not. */
export type WorkerReport = { readonly done: CorpusTask } | { readonly failed: CorpusTask; readonly code: string; readonly message: string };

/** Built, a worker is a file beside this one; from the sources it needs the TypeScript loader first. */
function startWorker(folder: string): Worker {
  const options = { workerData: { folder } };
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./worker.js", import.meta.url), options);
  const loader = pathToFileURL(
    createRequire(import.meta.url)
      .resolve("tsx/esm/api")
      .replace(/\.cjs$/, ".mjs"),
  ).href;
  const entry = new URL("./worker.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry)}); });`;
  return new Worker(code, { ...options, eval: true });
}

export class WorkerPool {
  private readonly threads: Worker[];

  constructor(folder: string, workers: number) {
    this.threads = Array.from({ length: workers }, () => startWorker(folder));
    // An error is told by the task that meets it; without one under way it shows at the next.
    for (const worker of this.threads) worker.setMaxListeners(0).on("error", () => {});
  }

  /** Runs all tasks; the first failure ends it. Aborted, it stops between tasks. */
  async run(tasks: readonly CorpusTask[], onDone?: (task: CorpusTask) => void, signal?: AbortSignal): Promise<void> {
    const open = [...tasks];
    try {
      await Promise.all(
        this.threads.slice(0, tasks.length).map(async (worker) => {
          for (let task = open.shift(); task && !signal?.aborted; task = open.shift()) {
            await runOn(worker, task);
            onDone?.(task);
          }
        }),
      );
    } finally {
      open.length = 0;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((worker) => worker.terminate()));
  }
}

function runOn(worker: Worker, task: CorpusTask): Promise<void> {
  const name = `${task.phase} ${task.index}`;
  return new Promise((resolve, reject) => {
    const told = (report: WorkerReport) =>
      settle(() => ("done" in report ? resolve() : reject(new PerennialError(report.code, `${name}: ${report.message}`))));
    const failed = (cause: Error) => settle(() => reject(new PerennialError("CORPUS_WORKER", `${name}: ${cause.message}`, { cause })));
    const ended = (code: number) =>
      settle(() => reject(new PerennialError("CORPUS_WORKER", `${name}: the worker ended with code ${code}. Run it again to resume.`)));
    const settle = (act: () => void) => {
      worker.off("message", told).off("error", failed).off("exit", ended);
      act();
    };
    worker.once("message", told).once("error", failed).once("exit", ended);
    worker.postMessage(task);
  });
}
