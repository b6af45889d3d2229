/** Runs, with what is needed to repeat them, and the truth about those whose process died. */
import { FieldError, nearest } from "../errors.ts";
import type { Database } from "./database.ts";
import { currentProcess, isAlive, type ProcessIdentity } from "./process-identity.ts";

/** `stopped`: ended on purpose and resumable (SIGINT, a bound). `interrupted` is never stored: it is a running run without a process. */
export type RunStatus = "running" | "finished" | "stopped" | "failed" | "interrupted";

export interface NewRun {
  name: string;
  /** Which of the recipe's runs: `main`, or the name of a baseline. */
  variant: string;
  /** Runs that started in one call share a family. Default: the run's own id. */
  family?: string;
  /** The resolved recipe: every default filled in. */
  recipe: unknown;
  /** The recipe as its author wrote it. */
  recipeText: string;
  seed: number;
  versions: Readonly<Record<string, string>>;
  hardware: Readonly<Record<string, unknown>>;
  folder: string;
}

export interface Run {
  /** The store's own key; the `id` is for people. */
  key: number;
  id: string;
  name: string;
  variant: string;
  family: string;
  status: RunStatus;
  /** Why it failed, stopped or was interrupted; null while there is nothing to explain. */
  reason: string | null;
  recipe: unknown;
  recipeText: string;
  seed: number;
  versions: Record<string, string>;
  hardware: Record<string, unknown>;
  folder: string;
  process: ProcessIdentity;
  startedAt: number;
  endedAt: number | null;
  heartbeatAt: number;
}

/** A run on another host whose process cannot be asked counts as interrupted after this silence. */
export const SILENCE_MILLISECONDS = 10 * 60 * 1000;

type RunRow = Omit<Run, "recipe" | "versions" | "hardware" | "process"> & {
  recipe: string;
  versions: string;
  hardware: string;
  process: string;
};

export class Runs {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  start(run: NewRun, now = Date.now()): Run {
    return this.database.transaction(() => {
      const id = this.freeId(run, now);
      this.database.run(
        `INSERT INTO runs (id, name, variant, family, status, recipe, recipeText, seed, versions, hardware, folder, process, startedAt, heartbeatAt)
         VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        run.name,
        run.variant,
        run.family ?? id,
        JSON.stringify(run.recipe),
        run.recipeText,
        run.seed,
        JSON.stringify(run.versions),
        JSON.stringify(run.hardware),
        run.folder,
        JSON.stringify(currentProcess()),
        now,
        now,
      );
      return this.byId(id)!;
    });
  }

  /** A run goes on in this process. */
  resume(key: number, now = Date.now()): void {
    this.database.run(
      "UPDATE runs SET status = 'running', reason = NULL, endedAt = NULL, process = ?, heartbeatAt = ? WHERE key = ?",
      JSON.stringify(currentProcess()),
      now,
      key,
    );
  }

  heartbeat(key: number, now = Date.now()): void {
    this.database.run("UPDATE runs SET heartbeatAt = ? WHERE key = ?", now, key);
  }

  end(key: number, status: "finished" | "stopped" | "failed", reason: string | null = null, now = Date.now()): void {
    this.database.run("UPDATE runs SET status = ?, reason = ?, endedAt = ?, heartbeatAt = ? WHERE key = ?", status, reason, now, now, key);
  }

  byId(id: string): Run | undefined {
    return this.list("WHERE id = ?", [id])[0];
  }

  /** Newest first. */
  all(): Run[] {
    return this.list("ORDER BY startedAt DESC, key DESC", []);
  }

  /** The runs that started in one call, in the order of their start. */
  family(family: string): Run[] {
    return this.list("WHERE family = ? ORDER BY startedAt, key", [family]);
  }

  /** The run that started last in `folder`, which is the one to resume. */
  newestIn(folder: string): Run | undefined {
    return this.list("WHERE folder = ? ORDER BY startedAt DESC, key DESC LIMIT 1", [folder])[0];
  }

  /** A run by what people type: its id, the beginning of one id, its name (the newest of that name), or `latest`. */
  find(reference: string): Run {
    const runs = this.all();
    const starting = runs.filter((run) => run.id.startsWith(reference));
    const found =
      runs.find((run) => run.id === reference) ??
      (reference === "latest" ? runs[0] : undefined) ??
      runs.find((run) => run.name === reference) ??
      (starting.length === 1 ? starting[0] : undefined);
    if (found !== undefined) return found;
    const near = nearest(
      reference,
      runs.flatMap((run) => [run.id, run.name]),
    );
    throw new FieldError("RUN_UNKNOWN", {
      at: this.database.path,
      expected: "the id or the name of a run",
      received: reference,
      todo:
        starting.length > 1
          ? `it could be any of ${starting
              .slice(0, 5)
              .map((run) => run.id)
              .join(", ")}`
          : near === undefined
            ? "`perennial runs` lists them"
            : `did you mean ${near}?`,
    });
  }

  private list(where: string, values: string[], now = Date.now()): Run[] {
    return this.database
      .all<RunRow>(
        `SELECT key, id, name, variant, family, status, reason, recipe, recipeText, seed, versions, hardware, folder, process,
         startedAt, endedAt, heartbeatAt FROM runs ${where}`,
        ...values,
      )
      .map((row) => withTruth(parsed(row), now));
  }

  /** `kabyle-20261124-230501`, with a number behind it when two start in the same second. */
  private freeId({ name, variant }: NewRun, now: number): string {
    const slug =
      (variant === "main" ? name : `${name}-${variant}`)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "") || "run";
    const time = new Date(now).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
    for (let n = 1; ; n++) {
      const id = n === 1 ? `${slug}-${time}` : `${slug}-${time}-${n}`;
      if (this.database.first("SELECT 1 FROM runs WHERE id = ?", id) === undefined) return id;
    }
  }
}

function parsed(row: RunRow): Run {
  return {
    ...row,
    recipe: JSON.parse(row.recipe),
    versions: JSON.parse(row.versions) as Record<string, string>,
    hardware: JSON.parse(row.hardware) as Record<string, unknown>,
    process: JSON.parse(row.process) as ProcessIdentity,
  };
}

function withTruth(run: Run, now: number): Run {
  if (run.status !== "running") return run;
  const alive = isAlive(run.process) ?? now - run.heartbeatAt < SILENCE_MILLISECONDS;
  return alive ? run : { ...run, status: "interrupted", reason: `process ${run.process.pid} on ${run.process.host} ended without a word` };
}
