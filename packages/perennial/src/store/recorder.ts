/** The writing end of one run. Points are gathered and written in batches, so that recording costs a step microseconds. */
import { FieldError } from "../errors.ts";
import type { Evaluation, Sample } from "./evaluations.ts";
import type { NewArtifact, Role } from "./lineage.ts";
import type { Point } from "./metrics.ts";
import type { Run } from "./runs.ts";
import type { Store } from "./store.ts";

/** A reader sees a point at the latest after this time, as long as the run records anything. */
const FLUSH_MILLISECONDS = 1000;
const FLUSH_POINTS = 2000;

export class Recorder {
  readonly run: Run;
  private readonly store: Store;
  private readonly clock: () => number;
  private pending: Point[] = [];
  private flushedAt: number;

  constructor(store: Store, run: Run, clock: () => number = Date.now) {
    this.store = store;
    this.run = run;
    this.clock = clock;
    this.flushedAt = clock();
  }

  metrics(step: number, values: Readonly<Record<string, number>>): void {
    const at = this.clock();
    for (const [name, value] of Object.entries(values)) this.pending.push({ step, name, value, at });
    if (this.pending.length >= FLUSH_POINTS || at - this.flushedAt >= FLUSH_MILLISECONDS) this.flush();
  }

  /** Writes what waits, and a sign of life. Call it when a step takes long, and before a checkpoint counts as saved. */
  flush(): void {
    const points = this.pending;
    const now = this.clock();
    this.store.database.transaction(() => {
      this.store.metrics.append(this.run.key, points);
      this.store.runs.heartbeat(this.run.key, now);
    });
    this.pending = [];
    this.flushedAt = now;
  }

  stageStarted(position: number, name: string, step: number): void {
    this.store.stages.started(this.run.key, position, name, step, this.clock());
  }

  stageEnded(position: number, step: number, tokens: number): void {
    this.store.stages.ended(this.run.key, position, step, tokens, this.clock());
  }

  evaluations(rows: readonly Evaluation[]): void {
    this.store.evaluations.append(this.run.key, rows, this.clock());
  }

  samples(rows: readonly Sample[]): void {
    this.store.evaluations.appendSamples(this.run.key, rows, this.clock());
  }

  /** Something worth telling: a rollback, a skipped step, a bound that was reached. */
  event(step: number, kind: string, message: string): void {
    this.store.events.append(this.run.key, { step, kind, message, at: this.clock() });
  }

  /** An artifact of this run with what it was made from; the parents must be recorded before. */
  artifact(artifact: NewArtifact, parents: readonly { hash: string; role: Role }[]): void {
    this.store.database.transaction(() => {
      this.store.lineage.record(artifact, this.run.key, this.clock());
      for (const { hash } of parents)
        if (this.store.lineage.byHash(hash) === undefined)
          throw new FieldError("LINEAGE_PARENT", { at: artifact.path, expected: "a recorded parent", received: hash });
      this.store.lineage.connect(artifact.hash, parents, this.run.key);
    });
  }

  /** Something from outside that this run read: a base model, a corpus. */
  input(artifact: NewArtifact): void {
    this.store.lineage.record(artifact, null, this.clock());
  }

  end(status: "finished" | "stopped" | "failed", reason: string | null = null): void {
    this.flush();
    this.store.runs.end(this.run.key, status, reason, this.clock());
  }
}
