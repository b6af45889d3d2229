/** Starts the processes of one machine that train together, watches them, and ends them together. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { PerennialError } from "../errors.ts";

export interface LaunchOptions {
  readonly processes: number;
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What rank 0 prints goes through as it is; of the others only errors, each line behind its rank. */
  readonly out?: (text: string) => void;
  readonly err?: (text: string) => void;
  /** Aborted: ends all processes. */
  readonly signal?: AbortSignal;
}

export interface LaunchResult {
  /** What the whole should end with: 0, or the code of the process that failed first (128 + signal, where one killed it). */
  readonly exitCode: number;
  /** The process that failed first; undefined when all succeeded. */
  readonly failed: { readonly rank: number; readonly signal: NodeJS.Signals | null; readonly lastLines: readonly string[] } | undefined;
}

const LAST_LINES = 10;
/** How long the others have to end by themselves once one has failed or a signal came. */
const GRACE_MILLISECONDS = 5000;
const FORWARDED = ["SIGINT", "SIGTERM"] as const;
const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/**
 * Runs `command` once per process, with torchrun's variables set, and waits for all. SIGINT and SIGTERM are passed on, so
 * that training can finish its step and save. When a process fails the others are ended: they could only wait for it.
 */
export async function launch(options: LaunchOptions): Promise<LaunchResult> {
  const { processes, out = (text) => process.stdout.write(text), err = (text) => process.stderr.write(text) } = options;
  if (!Number.isInteger(processes) || processes < 1)
    throw new PerennialError("PROCESSES", `processes: expected a positive integer, received ${processes}.`);
  const port = await freePort();
  const children: ChildProcess[] = [];
  let failed: LaunchResult["failed"];
  let exitCode = 0;
  let interrupted = false;
  let killing: NodeJS.Timeout | undefined;

  const sendToAll = (signal: NodeJS.Signals) => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  const endAll = () => {
    sendToAll("SIGTERM");
    killing ??= setTimeout(() => sendToAll("SIGKILL"), GRACE_MILLISECONDS);
  };
  const forward = (signal: NodeJS.Signals) => {
    interrupted = true;
    sendToAll(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  options.signal?.addEventListener("abort", endAll);

  const run = (rank: number) =>
    new Promise<void>((done) => {
      const child = spawn(options.command, options.args ?? [], {
        stdio: ["ignore", "pipe", "pipe"],
        // Of a group of its own: Ctrl-C reaches it through us only, and once.
        detached: true,
        env: { ...(options.environment ?? process.env), ...variables(rank, processes, port, options.environment ?? process.env) },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      });
      children.push(child);
      const last: string[] = [];
      if (rank === 0) child.stdout.on("data", (chunk: Buffer) => out(chunk.toString()));
      else child.stdout.resume();
      createInterface({ input: child.stderr }).on("line", (line) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        err(rank === 0 ? `${line}\n` : `[${rank}] ${line}\n`);
      });
      const fail = (code: number, signal: NodeJS.Signals | null, lines: readonly string[]) => {
        if (failed !== undefined) return;
        failed = { rank, signal, lastLines: lines };
        exitCode = code;
        endAll();
      };
      child.on("error", (error) => {
        fail(127, null, [error.message]);
        done();
      });
      // A later failure is a consequence of the first one, so the order of ends counts, not that of closed pipes.
      child.on("exit", (code, signal) => {
        if (code === 0) return;
        const status = code ?? 128 + (SIGNAL_NUMBERS[signal!] ?? 0);
        // After a signal each ends in its own time: the others may still be saving.
        if (interrupted) exitCode ||= status;
        else fail(status, signal, last);
      });
      child.on("close", () => done());
    });
  try {
    await Promise.all(Array.from({ length: processes }, (_, rank) => run(rank)));
  } finally {
    clearTimeout(killing);
    for (const signal of FORWARDED) process.off(signal, forward);
    options.signal?.removeEventListener("abort", endAll);
  }
  return { exitCode, failed };
}

/** One sentence about the process that failed first, and its last lines. */
export function describeFailure({ failed, exitCode }: LaunchResult): string {
  if (failed === undefined) return "";
  const how = failed.signal === null ? `ended with code ${exitCode}` : `was killed by ${failed.signal}`;
  const lines = failed.lastLines.map((line) => `  ${line}`).join("\n");
  return `The process of rank ${failed.rank} ${how}; the others were stopped.${lines === "" ? "" : ` Its last lines:\n${lines}`}`;
}

function variables(rank: number, processes: number, port: number, environment: Readonly<Record<string, string | undefined>>) {
  return {
    RANK: String(rank),
    LOCAL_RANK: String(rank),
    WORLD_SIZE: String(processes),
    LOCAL_WORLD_SIZE: String(processes),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
    // Processes that each use every core only wait for each other.
    OMP_NUM_THREADS: environment.OMP_NUM_THREADS ?? String(Math.max(1, Math.floor(availableParallelism() / processes))),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", done);
  });
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
