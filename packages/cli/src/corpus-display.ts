/** What a corpus run looks like at a terminal: one live line, plain lines elsewhere, JSON lines for programs; and its result. */
import type { CorpusManifest, Funnel } from "perennial/corpus";
import type { Effects } from "./effects.ts";
import { bar, clock, gibibytes, type ProgressMode } from "./progress.ts";
import { printable, table } from "./text.ts";

const LINE_MILLISECONDS = 5000;

export class TaskProgress {
  private readonly mode: ProgressMode;
  private readonly effects: Effects;
  private phase = "";
  private startedAt = 0;
  private shownAt = Number.NEGATIVE_INFINITY;
  private firstDone = 0;
  private live = false;

  constructor(mode: ProgressMode, effects: Effects) {
    this.mode = mode;
    this.effects = effects;
  }

  task({ phase, index }: { phase: string; index: number }, done: number, all: number): void {
    const now = this.effects.now();
    if (phase !== this.phase) {
      this.end();
      [this.phase, this.startedAt, this.firstDone, this.shownAt] = [phase, now, done, now];
    }
    if (this.mode === "quiet") return;
    if (this.mode === "json") {
      this.effects.out(`${JSON.stringify({ type: "task", at: now, phase, index, done, all })}\n`);
      return;
    }
    if (done < all && this.mode === "lines" && now - this.shownAt < LINE_MILLISECONDS) return;
    this.shownAt = now;
    const pace = (done - this.firstDone) / (now - this.startedAt);
    const left = done < all && pace > 0 ? ` · ${clock((all - done) / pace / 1000)} left` : "";
    const line = `${phase} ${done}/${all}${left}`;
    this.live = this.mode === "live";
    this.effects.err(this.live ? `\r\u001b[K${bar(done / all)} ${line}` : `${line}\n`);
  }

  /** Leaves the live line where it is. */
  end(): void {
    if (this.live) this.effects.err("\n");
    this.live = false;
  }
}

/** Documents and bytes in and out of every step, and why the others went. */
export function funnelTable(funnel: Funnel): string {
  const rows = Object.entries(funnel).map(([step, { documentsIn, documentsOut, bytesIn, bytesOut, dropped }]) => [
    step,
    String(documentsIn),
    String(documentsOut),
    gibibytes(bytesIn),
    gibibytes(bytesOut),
    reasons(dropped),
  ]);
  return table(["step", "documents in", "out", "text in", "out", "dropped"], rows, [1, 2, 3, 4]);
}

const MAX_REASONS = 4;

function reasons(dropped: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(dropped).sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MAX_REASONS).map(([reason, count]) => `${printable(reason)} ${count}`);
  return [...shown, ...(sorted.length > MAX_REASONS ? [`${sorted.length - MAX_REASONS} more`] : [])].join(", ");
}

export function languageTable(languages: CorpusManifest["languages"]): string {
  const rows = Object.entries(languages)
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .map(([label, { documents, bytes, minScore, filtered }]) => [
      printable(label),
      String(documents),
      gibibytes(bytes),
      minScore.toFixed(4),
      filtered ? "yes" : "no",
    ]);
  return table(["language", "documents", "text", "least score", "filtered"], rows, [1, 2, 3]);
}

/** A line per shard that was set aside; undefined where all were read. */
export function failureText({ failures, shards }: CorpusManifest): string | undefined {
  if (failures.length === 0) return undefined;
  const MAX_SHOWN = 20;
  const lines = failures.slice(0, MAX_SHOWN).map(({ path, reason }) => (reason.includes(path) ? reason : `${path}: ${reason}`));
  if (failures.length > MAX_SHOWN) lines.push(`and ${failures.length - MAX_SHOWN} more, in manifest.json`);
  return [...lines, `${failures.length} of ${shards} shards could not be read to their end; the rest is done.`].join("\n");
}
