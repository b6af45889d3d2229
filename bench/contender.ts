/**
 * Contenders of a benchmark: processes of their own that take turns. Each prints a line of JSON when it is ready, then reads
 * numbers of steps from standard input, a line each, and answers with a line of JSON: seconds, cpuSeconds, loss, peakBytes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { createInterface } from "node:readline";

export interface Answer {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly loss: number;
  readonly peakBytes: number;
}

export class Contender {
  readonly name: string;
  /** Of a step, round by round. */
  readonly seconds: number[] = [];
  readonly cpuSeconds: number[] = [];
  peakBytes = 0;
  ready: { readonly firstStepSeconds?: number; readonly firstLoss?: number } = {};
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(name: string, command: string, args: readonly string[], threads: number) {
    this.name = name;
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, OMP_NUM_THREADS: `${threads}`, TOKENIZERS_PARALLELISM: "false" },
    });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** A TypeScript contender, run from its source. */
  static ofSource(name: string, file: string, args: readonly string[], threads: number): Contender {
    return new Contender(name, process.execPath, ["--import", "tsx", "--conditions", "source", file, ...args], threads);
  }

  /** The next line of JSON; other lines are somebody's chatter. */
  private async answer<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done === true) throw new Error(`${this.name} ended early`);
      if (value.startsWith("{")) return JSON.parse(value) as T;
    }
  }

  async start(): Promise<this> {
    this.ready = await this.answer();
    return this;
  }

  async run(steps: number, counts = true): Promise<void> {
    this.child.stdin!.write(`${steps}\n`);
    const { seconds, cpuSeconds, peakBytes } = await this.answer<Answer>();
    this.peakBytes = peakBytes;
    if (!counts) return;
    this.seconds.push(seconds / steps);
    this.cpuSeconds.push(cpuSeconds / steps);
  }

  /** What it answers to a question that is no number of steps. */
  async ask<T>(question: string): Promise<T> {
    this.child.stdin!.write(`${question}\n`);
    return this.answer();
  }

  stop(): void {
    this.child.stdin!.end();
  }
}

export const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!;

/** "1.27× (1.23 – 1.29)": how much longer `other` takes than `ours`, round by round. */
export function ratioText(ours: readonly number[], other: readonly number[]): string {
  const ratios = other.map((seconds, i) => seconds / ours[i]!);
  return `${median(ratios).toFixed(2)}× (${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)})`;
}

/** Rounds in turn, after a warm-up that does not count. */
export async function takeTurns(
  contenders: readonly Contender[],
  options: { rounds: number; steps: number; warmup: number },
): Promise<void> {
  if (options.warmup > 0) for (const contender of contenders) await contender.run(options.warmup, false);
  for (let round = 0; round < options.rounds; round++) for (const contender of contenders) await contender.run(options.steps);
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** The machine and how busy it was: no figure without it. */
export function machineLine(): string {
  const cpu = /model name\s*:\s*(.*)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown CPU";
  return `${cpu}; load average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(", ")}`;
}
