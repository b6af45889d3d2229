/** What people see while cells run: what each measured when it ends, and between that one line about all that run now. */
import { availableParallelism } from "node:os";
import type { CellOf, CellPlan, CellProgress, Measurement } from "perennial/reproduce";
import type { RunEventMessage } from "perennial/run";
import type { Effects } from "../effects.ts";
import { clock, Progress, type ProgressMode } from "../progress.ts";
import { displayRun } from "../run-display.ts";

const LIVE_MILLISECONDS = 200;
const LINE_MILLISECONDS = 10_000;

export class CellsDisplay {
  private readonly mode: ProgressMode;
  private readonly effects: Effects;
  private readonly measurements: readonly Measurement[];
  private readonly workers: number;
  private readonly progress: Progress;
  private readonly showWarning: (message: RunEventMessage) => void;
  /** By cell: the step of the run in it, of how many. */
  private readonly running = new Map<number, { readonly of: CellOf; step: number; totalSteps: number }>();
  private plan: CellPlan | undefined;
  private startedAt = 0;
  private done = 0;
  private shownAt = Number.NEGATIVE_INFINITY;
  private live = false;

  constructor(mode: ProgressMode, effects: Effects, { measurements, workers }: { measurements: readonly Measurement[]; workers: number }) {
    this.mode = mode;
    this.effects = effects;
    this.measurements = measurements;
    this.workers = workers;
    this.progress = new Progress(mode, effects);
    this.showWarning = displayRun(this.progress, effects);
  }

  onPlan(plan: CellPlan): void {
    this.plan = plan;
    this.startedAt = this.effects.now();
    if (plan.missing > 0) this.note(planText(plan, this.workers));
  }

  onCell(cell: CellProgress): void {
    if (cell.state === "begins") this.running.set(cell.number, { of: cell, step: 0, totalSteps: 0 });
    else {
      this.running.delete(cell.number);
      if (cell.state === "finished") this.done++;
      this.note(this.cellText(cell));
    }
  }

  /** The steps of a cell are watched; what each run says of its files is not. */
  onMessage(message: RunEventMessage, of: CellOf): void {
    // What a stopped run says of going on is for those who started it by itself.
    if (
      (message.kind === "warning" && !message.text.startsWith("interrupted")) ||
      (message.kind === "note" && message.text.startsWith("making"))
    ) {
      this.clear();
      this.showWarning(message);
    }
    const running = this.running.get(of.number);
    if (message.kind !== "step" || running === undefined) return;
    running.step = message.step;
    running.totalSteps = message.totalSteps;
    this.show();
  }

  note(text: string): void {
    this.clear();
    this.progress.note(text);
  }

  clear(): void {
    if (this.live) this.effects.err("\r\u001b[K");
    this.live = false;
  }

  private show(): void {
    const now = this.effects.now();
    if (this.mode !== "live" && this.mode !== "lines") return;
    if (now - this.shownAt < (this.mode === "live" ? LIVE_MILLISECONDS : LINE_MILLISECONDS)) return;
    this.shownAt = now;
    const left = this.secondsLeft(now);
    const cells = [...this.running.values()].map(
      ({ of, step, totalSteps }) => `${of.arm}, seed ${of.seed}: ${totalSteps === 0 ? "prepares" : `${step}/${totalSteps}`}`,
    );
    const line = [...(left === undefined ? [] : [`${clock(left)} left`]), ...cells].join(" · ");
    this.live = this.mode === "live";
    this.effects.err(this.live ? `\r\u001b[K${line.slice(0, this.effects.columns - 1)}` : `${line}\n`);
  }

  /** At the pace so far, once a cell's worth is done; before that as planned. */
  private secondsLeft(now: number): number | undefined {
    if (this.plan === undefined || this.plan.missing === 0) return undefined;
    const parts = [...this.running.values()].map(({ step, totalSteps }) => (totalSteps === 0 ? 0 : step / totalSteps));
    const done = this.done + parts.reduce((sum, part) => sum + part, 0);
    const elapsed = (now - this.startedAt) / 1000;
    return done < 1 ? Math.max(0, planSeconds(this.plan, this.workers) - elapsed) : (elapsed * (this.plan.missing - done)) / done;
  }

  private cellText({ arm, seed, number, total, state, cell, seconds }: CellProgress): string {
    const values = this.measurements.flatMap(({ key, label, digits = 3 }) => {
      const value = cell!.measurements[key];
      return value === undefined || value === null ? [] : [`${label} ${value.toFixed(digits)}`];
    });
    return `[${number}/${total}] ${arm}, seed ${seed}: ${values.join(" · ")} (${state === "kept" ? "kept" : `${seconds!.toFixed(0)} s`})`;
  }
}

/** Cells that run at once: no more than there are cells or cores. */
const atOnce = ({ missing }: CellPlan, workers: number): number => Math.min(workers, missing, availableParallelism());

const planSeconds = (plan: CellPlan, workers: number): number => plan.seconds / atOnce(plan, workers);

function planText(plan: CellPlan, workers: number): string {
  const { missing, total, seconds } = plan;
  const kept = total - missing;
  const which = `${missing} ${missing === 1 ? "run" : "runs"} to do${kept === 0 ? "" : `, ${kept} kept`}`;
  const count = Math.min(workers, missing);
  return `${which}: about ${clock(planSeconds(plan, workers))} in ${count} ${count === 1 ? "process" : "processes"} of one thread (${clock(seconds)} of computing)`;
}
