/**
 * What training looks like while it runs. Pure functions make the text; `Progress` decides how often and where it goes: one live line on a
 * terminal, plain lines elsewhere, JSON lines for programs, or nothing.
 */
import { formatCount } from "perennial/recipe";
import type { Effects } from "./effects.ts";
import { painter, width } from "./text.ts";

export interface StepStatus {
  step: number;
  totalSteps: number;
  stage: string;
  /** Nats per target token. */
  loss: number;
  learningRate: number;
  gradNorm: number;
  tokensPerSecond: number;
  /** Share of the hardware's peak FLOP/s, 0–1; undefined when the peak is not known. */
  modelFlopsUtilization?: number;
  memoryBytes?: number;
}

export type ProgressMode = "live" | "lines" | "json" | "quiet";

/** What is asked for, else what the output is fit for. */
export function progressMode({ quiet = false, json = false }: { quiet?: boolean; json?: boolean }, isTTY: boolean): ProgressMode {
  if (json) return "json";
  if (quiet) return "quiet";
  return isTTY ? "live" : "lines";
}

/** Time left at the pace of the last `PACE_STEPS` steps, which follows a change of stage or load soon. */
const PACE_STEPS = 50;

export class Pace {
  private readonly times: { step: number; at: number }[] = [];

  add(step: number, at: number): void {
    // The next variant begins again.
    if (step <= (this.times.at(-1)?.step ?? 0)) this.times.length = 0;
    this.times.push({ step, at });
    if (this.times.length > PACE_STEPS) this.times.shift();
  }

  /** Undefined until two steps are known. */
  remainingSeconds(totalSteps: number): number | undefined {
    const [first, last] = [this.times[0], this.times.at(-1)];
    if (first === undefined || last === undefined || last.step === first.step) return undefined;
    return (((last.at - first.at) / 1000) * (totalSteps - last.step)) / (last.step - first.step);
  }
}

/** `step 120/400 · loss 2.345 · …`: most important first, because a narrow terminal cuts the end off. */
export function statusParts(status: StepStatus, remainingSeconds: number | undefined): string[] {
  const { step, totalSteps, stage, loss, learningRate, gradNorm, tokensPerSecond, modelFlopsUtilization, memoryBytes } = status;
  return [
    `${stage} ${step}/${totalSteps}`,
    `loss ${Number.isFinite(loss) ? loss.toFixed(3) : String(loss)}`,
    `${formatCount(Math.round(tokensPerSecond))} tok/s`,
    ...(remainingSeconds === undefined ? [] : [`${clock(remainingSeconds)} left`]),
    ...(modelFlopsUtilization === undefined ? [] : [`${(100 * modelFlopsUtilization).toFixed(0)} % of peak`]),
    `lr ${learningRate.toExponential(2)}`,
    `grad ${gradNorm.toPrecision(3)}`,
    ...(memoryBytes === undefined ? [] : [gibibytes(memoryBytes)]),
  ];
}

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export const gibibytes = (bytes: number): string =>
  bytes < 2 ** 20
    ? `${Math.ceil(bytes / 2 ** 10)} KiB`
    : bytes < 2 ** 30
      ? `${Math.round(bytes / 2 ** 20)} MiB`
      : `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const BAR_WIDTH = 12;

export function bar(part: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, part)) * BAR_WIDTH * 8);
  const full = Math.floor(eighths / 8);
  const rest = eighths % 8 === 0 ? "" : String.fromCodePoint(0x2590 - (eighths % 8));
  return `${"█".repeat(full)}${rest}`.padEnd(BAR_WIDTH, "░");
}

/** The live line: whole parts only, as many as fit. */
export function liveLine(status: StepStatus, remainingSeconds: number | undefined, columns: number): string {
  let line = bar(status.step / status.totalSteps);
  for (const part of statusParts(status, remainingSeconds)) {
    const longer = `${line} ${line.length > BAR_WIDTH ? "· " : ""}${part}`;
    if (width(longer) >= columns) break;
    line = longer;
  }
  return line;
}

const LIVE_MILLISECONDS = 100;
const LINE_MILLISECONDS = 10_000;

export class Progress {
  private readonly mode: ProgressMode;
  private readonly effects: Effects;
  private readonly pace = new Pace();
  private shownAt = Number.NEGATIVE_INFINITY;
  private live = false;

  constructor(mode: ProgressMode, effects: Effects) {
    this.mode = mode;
    this.effects = effects;
  }

  step(status: StepStatus): void {
    const now = this.effects.now();
    this.pace.add(status.step, now);
    const last = status.step === status.totalSteps;
    if (this.mode === "quiet") return;
    if (this.mode === "json") {
      this.effects.out(`${JSON.stringify({ type: "step", at: now, ...status })}\n`);
      return;
    }
    if (!last && now - this.shownAt < (this.mode === "live" ? LIVE_MILLISECONDS : LINE_MILLISECONDS)) return;
    this.shownAt = now;
    const remaining = this.pace.remainingSeconds(status.totalSteps);
    if (this.mode === "lines") {
      this.effects.err(`${statusParts(status, remaining).join(" · ")}\n`);
      return;
    }
    this.live = true;
    this.effects.err(`\r\u001b[K${liveLine(status, remaining, this.effects.columns)}`);
  }

  /** A line that stays: an evaluation, a checkpoint, a rollback. */
  note(text: string, data: Readonly<Record<string, unknown>> = {}): void {
    if (this.mode === "quiet") return;
    if (this.mode === "json") {
      this.effects.out(`${JSON.stringify({ type: "note", at: this.effects.now(), text, ...data })}\n`);
      return;
    }
    this.clear();
    this.effects.err(`${painter(this.effects.color && this.mode === "live")("dim", text)}\n`);
  }

  /** Leaves the last status line where it is and goes to the next. */
  end(): void {
    if (this.live) this.effects.err("\n");
    this.live = false;
  }

  private clear(): void {
    if (this.live) this.effects.err("\r\u001b[K");
    this.live = false;
  }
}
