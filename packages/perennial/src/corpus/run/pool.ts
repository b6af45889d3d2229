/** Tasks on worker threads. A thread asks for the next task when it is done with one, so that none waits and nothing piles up. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { PerennialError } from "../../errors.ts";
import type { CorpusTask } from "./plan.ts";

export interface PoolOptions {
  readonly folder: string;
  readonly workers: number;
  readonly signal?: AbortSignal;
  readonly onDone?: (task: CorpusTask) => void;
}

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

export async function runOnWorkers(tasks: readonly CorpusTask[], { folder, workers, signal, onDone }: PoolOptions): Promise<void> {
  const open = [...tasks];
  const threads: Worker[] = [];
  const work = async () => {
    const worker = startWorker(folder);
    threads.push(worker);
    for (let task = open.shift(); task && !signal?.aborted; task = open.shift()) {
      const current = task;
      await new Promise<void>((resolve, reject) => {
        const settle = (report: WorkerReport) => {
          worker.off("error", reject);
          worker.off("exit", died);
          if ("done" in report) resolve();
          else reject(new PerennialError(report.code, `${current.phase} ${current.index}: ${report.message}`));
        };
        const died = (code: number) =>
          reject(
            new PerennialError(
              "CORPUS_WORKER",
              `${current.phase} ${current.index}: the worker ended with code ${code}. Run it again to resume.`,
            ),
          );
        worker.once("message", settle);
        worker.once("error", reject);
        worker.once("exit", died);
        worker.postMessage(current);
      });
      onDone?.(current);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, work));
  } finally {
    open.length = 0;
    await Promise.all(threads.map((worker) => worker.terminate()));
  }
}
