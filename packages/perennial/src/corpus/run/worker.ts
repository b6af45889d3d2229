/** A worker thread: runs the tasks that its parent sends, one at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { PerennialError } from "../../errors.ts";
import type { CorpusTask } from "./plan.ts";
import type { WorkerReport } from "./pool.ts";
import { runCorpusTask } from "./tasks.ts";

const { folder } = (workerData ?? {}) as { folder: string };

parentPort?.on("message", async (task: CorpusTask) => {
  const report = await runCorpusTask(folder, task).then(
    (): WorkerReport => ({ done: task }),
    (error: unknown): WorkerReport => ({
      failed: task,
      code: error instanceof PerennialError ? error.code : "CORPUS_TASK",
      message: error instanceof Error ? error.message : String(error),
    }),
  );
  parentPort!.postMessage(report);
});
