/** What happened in a run beside its numbers: the stages it went through and the events worth telling. */
import type { Database } from "./database.ts";

export interface Stage {
  position: number;
  name: string;
  startStep: number;
  /** Null while the stage runs. */
  endStep: number | null;
  /** Target tokens trained on in this stage. */
  tokens: number;
  startedAt: number;
  endedAt: number | null;
}

export class Stages {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  started(run: number, position: number, name: string, step: number, now = Date.now()): void {
    // A resumed stage keeps its first start.
    this.database.run(
      "INSERT OR IGNORE INTO stages (run, position, name, startStep, startedAt) VALUES (?, ?, ?, ?, ?)",
      ...[run, position, name, step, now],
    );
  }

  ended(run: number, position: number, step: number, tokens: number, now = Date.now()): void {
    this.database.run(
      "UPDATE stages SET endStep = ?, tokens = ?, endedAt = ? WHERE run = ? AND position = ?",
      step,
      tokens,
      now,
      run,
      position,
    );
  }

  read(run: number): Stage[] {
    return this.database.all<Stage>(
      "SELECT position, name, startStep, endStep, tokens, startedAt, endedAt FROM stages WHERE run = ? ORDER BY position",
      run,
    );
  }

  /** Stages that began after `step` never happened, one that ended after it is open again. */
  truncate(run: number, step: number): void {
    this.database.run("DELETE FROM stages WHERE run = ? AND startStep > ?", run, step);
    this.database.run("UPDATE stages SET endStep = NULL, endedAt = NULL, tokens = 0 WHERE run = ? AND endStep > ?", run, step);
  }
}

export interface RunEvent {
  step: number;
  kind: string;
  message: string;
  at: number;
}

export class Events {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  append(run: number, { step, kind, message, at }: RunEvent): void {
    this.database.run("INSERT INTO events (run, step, kind, message, at) VALUES (?, ?, ?, ?, ?)", run, step, kind, message, at);
  }

  read(run: number): RunEvent[] {
    return this.database.all<RunEvent>("SELECT step, kind, message, at FROM events WHERE run = ? ORDER BY key", run);
  }
}
