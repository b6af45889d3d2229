/** The store of runs: one SQLite file that many may read while one writes. */
import { Database, type OpenOptions } from "./database.ts";
import { Evaluations } from "./evaluations.ts";
import { Events, Stages } from "./history.ts";
import { LineageTable } from "./lineage.ts";
import { Metrics } from "./metrics.ts";
import { Recorder } from "./recorder.ts";
import { type NewRun, type Run, Runs } from "./runs.ts";

/** Where the command keeps its store, relative to the working folder. */
export const DEFAULT_STORE_PATH = ".perennial/store.db";

export class Store {
  readonly database: Database;
  readonly runs: Runs;
  readonly metrics: Metrics;
  readonly stages: Stages;
  readonly evaluations: Evaluations;
  readonly events: Events;
  readonly lineage: LineageTable;

  constructor(database: Database) {
    this.database = database;
    this.runs = new Runs(database);
    this.metrics = new Metrics(database);
    this.stages = new Stages(database);
    this.evaluations = new Evaluations(database);
    this.events = new Events(database);
    this.lineage = new LineageTable(database);
  }

  start(run: NewRun, clock: () => number = Date.now): Recorder {
    return new Recorder(this, this.runs.start(run, clock()), clock);
  }

  /** Goes on with a run at `step`: what it had recorded after that step is forgotten, because it will be recorded again. */
  resume(run: Run, step: number, clock: () => number = Date.now): Recorder {
    this.database.transaction(() => {
      this.metrics.truncate(run.key, step);
      this.evaluations.truncate(run.key, step);
      this.stages.truncate(run.key, step);
      this.runs.resume(run.key, clock());
    });
    return new Recorder(this, this.runs.byId(run.id)!, clock);
  }

  close(): void {
    this.database.close();
  }
}

export function openStore(path: string, options: OpenOptions): Store {
  return new Store(new Database(path, options));
}
