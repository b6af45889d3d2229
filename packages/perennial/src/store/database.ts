/** An SQLite file in WAL mode: one writer at a time, readers never wait for it. All SQL errors leave here as clear sentences. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Libsql from "libsql";
import { FieldError, PerennialError } from "../errors.ts";
import { migrations, SCHEMA_VERSION } from "./schema.ts";

/** What SQLite can bind. NaN is stored as NULL: SQLite has no not-a-number. */
export type Value = string | number | bigint | null;
type Statement = Libsql.Statement<Value[]>;

/** How long a writer waits for another before it gives up. A batch of metrics takes milliseconds. */
const BUSY_TIMEOUT_MILLISECONDS = 10_000;

export interface OpenOptions {
  /** `"write"` creates the file when it is missing; `"read"` never changes anything. */
  mode: "read" | "write";
  busyTimeoutMilliseconds?: number;
}

export class Database {
  readonly path: string;
  private readonly connection: Libsql.Database;
  private readonly statements = new Map<string, Statement>();

  constructor(path: string, { mode, busyTimeoutMilliseconds = BUSY_TIMEOUT_MILLISECONDS }: OpenOptions) {
    this.path = path;
    const exists = existsSync(path);
    if (!exists && mode === "read")
      throw new FieldError("STORE_MISSING", {
        at: path,
        expected: "a store of runs",
        todo: "train something first, or name the store with --store",
      });
    this.connection = this.guarded(() => {
      if (!exists) mkdirSync(dirname(path), { recursive: true });
      return new Libsql(path, { timeout: busyTimeoutMilliseconds });
    });
    try {
      this.guarded(() => this.prepareFile(mode));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  private prepareFile(mode: "read" | "write"): void {
    // The pragma stops writes through a reader; the driver's own `readonly` flag is not enforced.
    if (mode === "read") this.connection.pragma("query_only = 1");
    else {
      this.connection.pragma("journal_mode = WAL");
      // A power cut may lose the last transactions, never the file; a process that dies loses nothing.
      this.connection.pragma("synchronous = NORMAL");
      this.connection.pragma("foreign_keys = 1");
    }
    const version = this.version();
    if (version > SCHEMA_VERSION)
      throw new FieldError("STORE_NEWER", {
        at: this.path,
        expected: `a store of version ${SCHEMA_VERSION} or older`,
        received: version,
        todo: "update perennial: this store was written by a newer one",
      });
    if (version < SCHEMA_VERSION && mode === "write") this.migrate();
    if (version < SCHEMA_VERSION && mode === "read")
      throw new FieldError("STORE_OLDER", {
        at: this.path,
        expected: `a store of version ${SCHEMA_VERSION}`,
        received: version,
        todo: "open it once for writing (any training run does) to bring it up to date",
      });
  }

  private version(): number {
    return (this.connection.pragma("user_version") as [{ user_version: number }])[0].user_version;
  }

  /** Two processes may open a new file at once, so the version is read again inside the transaction. */
  private migrate(): void {
    this.transaction(() => {
      for (const migration of migrations.slice(this.version())) this.connection.exec(migration);
      this.connection.pragma(`user_version = ${SCHEMA_VERSION}`);
    });
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: Value[]): number {
    return this.guarded(() => this.statement(sql).run(...values).changes);
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.guarded(
      () =>
        this.statement(sql)
          .raw(false)
          .all(...values) as Row[],
    );
  }

  /** Rows as arrays: what long series are read as. */
  tuples<Row extends readonly unknown[]>(sql: string, ...values: Value[]): Row[] {
    return this.guarded(
      () =>
        this.statement(sql)
          .raw(true)
          .all(...values) as unknown[] as Row[],
    );
  }

  first<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.all<Row>(sql, ...values)[0];
  }

  /** Runs `body` as one unit: everything or nothing reaches the file. Inside another transaction it joins that one. */
  transaction<T>(body: () => T): T {
    if (this.connection.inTransaction) return body();
    return this.guarded(() => {
      this.connection.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        this.connection.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.connection.inTransaction) this.connection.exec("ROLLBACK");
        throw error;
      }
    });
  }

  close(): void {
    this.statements.clear();
    this.connection.close();
  }

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare<Value[]>(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.explained(error);
    }
  }

  private explained(error: unknown): unknown {
    if (error instanceof PerennialError || !(error instanceof Error)) return error;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const at = this.path;
    const explain = (name: string, expected: string, todo: string) => new FieldError(name, { at, expected, todo }, { cause: error });
    if (/^SQLITE_(BUSY|LOCKED)/.test(code))
      return explain("STORE_LOCKED", "a store that is free to write", "another process holds it; wait for it or stop it, then try again");
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code))
      return explain("STORE_DAMAGED", "an SQLite store of runs", "the file is damaged or not a store; move it away and start a new one");
    if (code.startsWith("SQLITE_FULL")) return explain("STORE_FULL", "room on the disk", "free some space, then resume the run");
    if (/^SQLITE_(READONLY|CANTOPEN|PERM)|^E(ACCES|PERM|ROFS|NOTDIR|EXIST|ISDIR)$/.test(code) || /ConnectionFailed/.test(error.message))
      return explain("STORE_UNWRITABLE", "a file that can be opened", "check the path and its permissions");
    return new PerennialError("STORE_FAILED", `${at}: ${error.message}`, { cause: error });
  }
}
