/** Ctrl-C once: stop where it is safe. Twice: leave at once. */
import type { Effects } from "./effects.ts";
import { INTERRUPTED, Interrupted } from "./verb.ts";

/** Runs `work` with a signal that Ctrl-C and SIGTERM abort; what it throws after that becomes the exit code of Ctrl-C. */
export async function interruptible<T>(effects: Effects, message: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(INTERRUPTED);
    abort.abort();
    effects.err(`\nperennial: ${message}; Ctrl-C again to leave at once\n`);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (abort.signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}
