/** What a model scored on each corpus: before, during and after the stages. Also what it wrote then. */
import type { Database } from "./database.ts";

/** `before`: the model as it came, at the start of the run. `after`: at the end of a stage. */
export type Moment = "before" | "during" | "after";

export interface Evaluation {
  step: number;
  moment: Moment;
  /** Position of the stage in the recipe, from 0. */
  stage: number;
  corpus: string;
  /** `bitsPerByte`, `loss` (nats per token), or the name of a task's score. */
  metric: string;
  /** Tokens trained on so far in this run. */
  tokens: number;
  value: number;
  /** Bounds of the 95 % confidence interval; not-a-number when none was computed. */
  low: number;
  high: number;
}

/** R[t][i]: score after stage t on corpus i. Row 0 is the model before the first stage. */
export interface EvaluationMatrix {
  metric: string;
  rows: { label: string; stage: number; moment: "before" | "after" }[];
  corpora: string[];
  /** One list per row; not-a-number where nothing was measured. */
  values: number[][];
}

export interface Sample {
  step: number;
  moment: Moment;
  /** What the sample shows, e.g. a language. */
  label: string;
  prompt: string;
  text: string;
  settings: Record<string, unknown>;
}

export class Evaluations {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  append(run: number, evaluations: readonly Evaluation[], now = Date.now()): void {
    this.database.transaction(() => {
      for (const { step, moment, stage, corpus, metric, tokens, value, low, high } of evaluations)
        this.database.run(
          "INSERT OR REPLACE INTO evaluations (run, step, moment, stage, corpus, metric, tokens, value, low, high, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          ...[run, step, moment, stage, corpus, metric, tokens, orNull(value), orNull(low), orNull(high), now],
        );
    });
  }

  truncate(run: number, step: number): void {
    this.database.run("DELETE FROM evaluations WHERE run = ? AND step > ?", run, step);
    this.database.run("DELETE FROM samples WHERE run = ? AND step > ?", run, step);
  }

  /** In the order of training. */
  read(run: number, metric: string): Evaluation[] {
    return this.database
      .all<{ [Key in keyof Evaluation]: Evaluation[Key] | null }>(
        `SELECT step, moment, stage, corpus, metric, tokens, value, low, high FROM evaluations WHERE run = ? AND metric = ?
         ORDER BY stage, step, moment = 'after', corpus`,
        run,
        metric,
      )
      .map((row) => ({ ...(row as Evaluation), value: orNaN(row.value), low: orNaN(row.low), high: orNaN(row.high) }));
  }

  metrics(run: number): string[] {
    return this.database
      .all<{ metric: string }>("SELECT DISTINCT metric FROM evaluations WHERE run = ? ORDER BY metric", run)
      .map(({ metric }) => metric);
  }

  /** Corpora stand in the order in which they were first measured; `stageNames` labels the rows. */
  matrix(run: number, metric: string, stageNames: readonly string[]): EvaluationMatrix {
    const measured = this.read(run, metric).filter(({ moment }) => moment !== "during");
    const corpora = [...new Set(measured.map(({ corpus }) => corpus))];
    const rows: EvaluationMatrix["rows"] = [];
    const values: number[][] = [];
    for (const { moment, stage, corpus, value } of measured) {
      if (moment === "during") continue;
      let row = rows.findIndex((known) => known.moment === moment && known.stage === stage);
      if (row < 0) {
        row =
          rows.push({ label: moment === "before" ? "before" : `after ${stageNames[stage] ?? `stage ${stage + 1}`}`, stage, moment }) - 1;
        values.push(corpora.map(() => Number.NaN));
      }
      values[row]![corpora.indexOf(corpus)] = value;
    }
    return { metric, rows, corpora, values };
  }

  appendSamples(run: number, samples: readonly Sample[], now = Date.now()): void {
    this.database.transaction(() => {
      for (const { step, moment, label, prompt, text, settings } of samples)
        this.database.run(
          "INSERT OR REPLACE INTO samples (run, step, moment, label, prompt, text, settings, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          ...[run, step, moment, label, prompt, text, JSON.stringify(settings), now],
        );
    });
  }

  samples(run: number): Sample[] {
    return this.database
      .all<Omit<Sample, "settings"> & { settings: string }>(
        "SELECT step, moment, label, prompt, text, settings FROM samples WHERE run = ? ORDER BY step, moment = 'after', label, at",
        run,
      )
      .map((row) => ({ ...row, settings: JSON.parse(row.settings) as Record<string, unknown> }));
  }
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
const orNaN = (value: number | null): number => value ?? Number.NaN;
