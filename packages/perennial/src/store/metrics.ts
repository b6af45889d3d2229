/** Numbers over steps: written in batches, read exactly or, to be drawn, thinned inside SQLite. */
import type { Database } from "./database.ts";

/** Names of the metrics that reports and the live status know. Anything else may be recorded too. */
export const METRICS = {
  loss: "loss",
  learningRate: "learningRate",
  gradNorm: "gradNorm",
  tokens: "tokens",
  tokensPerSecond: "tokensPerSecond",
  modelFlopsUtilization: "modelFlopsUtilization",
  /** Share of a step's time spent waiting for its data, 0–1. */
  dataWaitShare: "dataWaitShare",
  memoryBytes: "memoryBytes",
  /** Share of a source that the recipe asks for, and what the sampler delivered since the stage began: of the loss (target tokens), of tokens, of documents. */
  requestedShare: (source: string) => `mixture/requested/${source}`,
  achievedShare: (source: string) => `mixture/achieved/${source}`,
  achievedTokenShare: (source: string) => `mixture/achieved-tokens/${source}`,
  achievedDocumentShare: (source: string) => `mixture/achieved-documents/${source}`,
} as const;

export interface Point {
  step: number;
  name: string;
  value: number;
  /** Milliseconds since 1970. */
  at: number;
}

export interface SeriesColumns {
  steps: number[];
  values: number[];
}

/** A series thinned to buckets of equal step width; a bucket keeps its extremes, so that a spike is never averaged away. */
export interface ThinnedSeries extends SeriesColumns {
  low: number[];
  high: number[];
}

export interface Range {
  /** First and last step, both included. */
  from?: number;
  to?: number;
}

export class Metrics {
  private readonly database: Database;
  private readonly keys = new Map<string, number>();

  constructor(database: Database) {
    this.database = database;
  }

  /** One transaction. A point at a step that has one already replaces it. */
  append(run: number, points: readonly Point[]): void {
    const rows = points.map(({ step, name, value, at }) => [this.seriesKey(run, name), step, Number.isNaN(value) ? null : value, at]);
    this.database.transaction(() => {
      for (const row of rows) this.database.run("INSERT OR REPLACE INTO points (series, step, value, at) VALUES (?, ?, ?, ?)", ...row);
    });
  }

  /** Forgets what came after `step`: a run that resumes there will write it again. */
  truncate(run: number, step: number): void {
    this.database.run("DELETE FROM points WHERE step > ? AND series IN (SELECT key FROM series WHERE run = ?)", step, run);
  }

  names(run: number): string[] {
    return this.database.all<{ name: string }>("SELECT name FROM series WHERE run = ? ORDER BY name", run).map(({ name }) => name);
  }

  read(run: number, name: string, { from = 0, to = Number.MAX_SAFE_INTEGER }: Range = {}): SeriesColumns {
    const points = this.database.tuples<[number, number | null]>(
      `SELECT step, value FROM points JOIN series ON series.key = points.series
       WHERE run = ? AND name = ? AND step BETWEEN ? AND ? ORDER BY step`,
      ...[run, name, from, to],
    );
    return { steps: points.map(([step]) => step), values: points.map(([, value]) => value ?? Number.NaN) };
  }

  /** At most `maxPoints` buckets. A series that has fewer points comes back as it is. */
  thinned(run: number, name: string, maxPoints: number, { from = 0, to = Number.MAX_SAFE_INTEGER }: Range = {}): ThinnedSeries {
    const extent = this.database.first<{ first: number | null; last: number; count: number }>(
      `SELECT min(step) AS first, max(step) AS last, count(*) AS count FROM points JOIN series ON series.key = points.series
       WHERE run = ? AND name = ? AND step BETWEEN ? AND ?`,
      run,
      name,
      from,
      to,
    );
    if (extent === undefined || extent.first === null) return { steps: [], values: [], low: [], high: [] };
    const { first, last, count } = extent;
    const width = count <= maxPoints ? 1 : Math.ceil((last - first + 1) / maxPoints);
    const row = this.database.first<{ steps: string; vals: string; low: string; high: string }>(
      `SELECT json_group_array(step) AS steps, json_group_array(mean) AS vals, json_group_array(low) AS low, json_group_array(high) AS high FROM (
         SELECT max(step) AS step, avg(value) AS mean, min(value) AS low, max(value) AS high
         FROM points JOIN series ON series.key = points.series
         WHERE run = ? AND name = ? AND step BETWEEN ? AND ? GROUP BY CAST((step - ?) / ? AS INTEGER) ORDER BY step)`,
      run,
      name,
      first,
      last,
      first,
      width,
    );
    return { steps: numbers(row?.steps), values: numbers(row?.vals), low: numbers(row?.low), high: numbers(row?.high) };
  }

  last(run: number, name: string): { step: number; value: number } | undefined {
    const row = this.database.first<{ step: number; value: number | null }>(
      "SELECT step, value FROM points JOIN series ON series.key = points.series WHERE run = ? AND name = ? ORDER BY step DESC LIMIT 1",
      run,
      name,
    );
    return row === undefined ? undefined : { step: row.step, value: row.value ?? Number.NaN };
  }

  private seriesKey(run: number, name: string): number {
    const id = `${run} ${name}`;
    let key = this.keys.get(id);
    if (key === undefined) {
      this.database.run("INSERT OR IGNORE INTO series (run, name) VALUES (?, ?)", run, name);
      key = this.database.first<{ key: number }>("SELECT key FROM series WHERE run = ? AND name = ?", run, name)!.key;
      this.keys.set(id, key);
    }
    return key;
  }
}

/** A column as JSON: 15 digits, enough to draw. NULL stands for not-a-number. */
const numbers = (json: string | undefined): number[] =>
  json === undefined ? [] : (JSON.parse(json) as (number | null)[]).map((value) => value ?? Number.NaN);
