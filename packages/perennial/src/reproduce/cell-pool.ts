/**
 * Where cells run: in this process, one after the other, or in processes of their own, each with one thread, so that a cell's numbers do not
 * depend on how many run beside it. Processes serve one cell after the other; a stop, or the end of this process, lets them save and leave.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { numThreads, setNumThreads } from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import { describeHardware } from "../train/hardware.ts";
import type { CellRequest, CellTold } from "./cell-process.ts";
import { type Cell, type CellContext, type Reproduction, ReproductionStopped, type Settings } from "./reproduction.ts";

export interface CellJob {
  readonly arm: string;
  readonly seed: number;
  readonly settings: Settings;
}

export interface RanCell {
  readonly cell: Cell;
  readonly hardware: Readonly<Record<string, unknown>>;
}

export interface CellPool {
  /** So many cells at once; `slot`, below it, is one that no other cell uses meanwhile. */
  readonly size: number;
  run(slot: number, job: CellJob, context: CellContext): Promise<RanCell>;
  close(): Promise<void>;
}

export const inThisProcess = ({ inputs, run }: Reproduction): CellPool => ({
  size: 1,
  async run(_, { arm, seed, settings }, context) {
    const threads = numThreads();
    setNumThreads(1);
    try {
      return { cell: await run(inputs(arm, seed, settings), context), hardware: describeHardware() };
    } finally {
      setNumThreads(threads);
    }
  },
  async close() {},
});

/** Reproductions of the registry only: a process finds them by name. */
export class CellProcesses implements CellPool {
  readonly size: number;
  private readonly name: string;
  private readonly children: (ChildProcess | undefined)[] = [];

  constructor(name: string, size: number) {
    this.name = name;
    this.size = size;
  }

  run(slot: number, job: CellJob, { listen, signal, ...folders }: CellContext): Promise<RanCell> {
    this.children[slot] ??= start();
    const child = this.children[slot];
    return new Promise((resolve, reject) => {
      const stop = () => void send(child, { kind: "stop" });
      const settle = (act: () => void) => {
        child.off("message", told).off("exit", ended).off("error", failed);
        signal?.removeEventListener("abort", stop);
        act();
      };
      const told = (message: CellTold) => {
        if (message.kind === "event") return listen(message.event);
        if (message.kind === "finished") return settle(() => resolve(message.ran));
        settle(() => reject(message.kind === "stopped" ? new ReproductionStopped() : new PerennialError(message.code, message.message)));
      };
      const ended = (code: number | null, by: NodeJS.Signals | null) => {
        const how = by === null ? `ended with code ${code}` : `was ended by ${by}`;
        failed(new Error(`its process ${how}; the same command goes on where it was`));
      };
      const failed = (cause: Error) => {
        this.children[slot] = undefined;
        settle(() => reject(new PerennialError("CELL_PROCESS", `${job.arm}, seed ${job.seed}: ${cause.message}.`, { cause })));
      };
      child.on("message", told).once("exit", ended).once("error", failed);
      signal?.addEventListener("abort", stop);
      send(child, { kind: "run", name: this.name, job, folders });
      if (signal?.aborted === true) stop();
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.children.map((child) => {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return undefined;
        const gone = new Promise((done) => child.once("exit", done));
        child.disconnect();
        return gone;
      }),
    );
  }
}

const send = (child: ChildProcess, request: CellRequest) => child.send(request);

/** Built, the program is a file beside this one; from the sources it needs the TypeScript loader and their entry points. */
function start(): ChildProcess {
  const isSource = import.meta.url.endsWith(".ts");
  const loader = () => pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return fork(new URL(isSource ? "./cell-process.ts" : "./cell-process.js", import.meta.url), [], {
    execArgv: isSource ? ["--conditions=source", "--import", loader()] : [],
    // Of a group of its own: Ctrl-C reaches it through us only, as a stop.
    detached: true,
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
}
