/** The program of a process that runs cells: asked through its channel, one cell at a time; without the channel it saves and leaves. */
import { setNumThreads } from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import type { RunEventMessage } from "../run/index.ts";
import { describeHardware } from "../train/hardware.ts";
import type { CellJob, RanCell } from "./cell-pool.ts";
import { findReproduction } from "./registry.ts";
import { type CellContext, ReproductionStopped } from "./reproduction.ts";

export type CellRequest =
  | { readonly kind: "run"; readonly name: string; readonly job: CellJob; readonly folders: Omit<CellContext, "listen" | "signal"> }
  | { readonly kind: "stop" };

export type CellTold =
  | { readonly kind: "event"; readonly event: RunEventMessage }
  | { readonly kind: "finished"; readonly ran: RanCell }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

let abort = new AbortController();

const tell = (told: CellTold) => {
  if (process.connected) process.send!(told);
};

process.on("disconnect", () => abort.abort());
process.on("message", async (request: CellRequest) => {
  if (request.kind === "stop") return abort.abort();
  abort = new AbortController();
  tell(await outcomeOf(request));
});

async function outcomeOf({ name, job: { arm, seed, settings }, folders }: Extract<CellRequest, { kind: "run" }>): Promise<CellTold> {
  try {
    setNumThreads(1);
    const { inputs, run } = await findReproduction(name);
    const context = { ...folders, listen: (event: RunEventMessage) => tell({ kind: "event", event }), signal: abort.signal };
    return { kind: "finished", ran: { cell: await run(inputs(arm, seed, settings), context), hardware: describeHardware() } };
  } catch (error) {
    if (error instanceof ReproductionStopped) return { kind: "stopped" };
    const code = error instanceof PerennialError ? error.code : "REPRODUCE_CELL";
    return { kind: "failed", code, message: (error as Error).message };
  }
}
