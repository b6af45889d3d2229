/** How far a piece of work is that goes tensor by tensor: one live line on a terminal, nothing elsewhere. */
import type { Effects } from "./effects.ts";

export interface WorkStatus {
  update(done: number, total: number): void;
  clear(): void;
}

/** Milliseconds between two lines. */
const INTERVAL = 100;

export function showTensors({ err, isTTY, now }: Pick<Effects, "err" | "isTTY" | "now">, what: string): WorkStatus {
  let last = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      if (!isTTY || now() - last < INTERVAL) return;
      last = now();
      err(`\r\u001b[K${what}: ${done} of ${total} tensors`);
    },
    clear() {
      if (isTTY) err("\r\u001b[K");
    },
  };
}
