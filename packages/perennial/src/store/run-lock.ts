/**
 * One run per folder. The lock is the kernel's, taken through SQLite's reserved lock on `run.lock`, so it vanishes with its process, also
 * after SIGKILL: a stale lock cannot exist, and two processes can never both take one over. The row inside names the holder for people.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Libsql from "libsql";
import { FieldError, PerennialError } from "../errors.ts";
import { currentProcess, type ProcessIdentity } from "./process-identity.ts";

export interface RunLock {
  /** The process that held the folder before and died without letting go; undefined when the last one ended well. */
  readonly diedBefore: ProcessIdentity | undefined;
  release(): void;
}

export function lockRunFolder(folder: string): RunLock {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "run.lock");
  const database = new Libsql(path, { timeout: 200 });
  try {
    database.exec("CREATE TABLE IF NOT EXISTS holder (identity TEXT NOT NULL)");
    database.exec("BEGIN IMMEDIATE");
    const before = holderOf(database);
    database.exec("DELETE FROM holder");
    database.prepare("INSERT INTO holder VALUES (?)").run(JSON.stringify(currentProcess()));
    database.exec("COMMIT");
    database.exec("BEGIN IMMEDIATE"); // held until release: readers still see the row above
    return {
      diedBefore: before,
      release() {
        if (!database.open) return;
        try {
          database.exec("DELETE FROM holder");
          database.exec("COMMIT");
        } catch {
          // A full disk keeps the name of the holder; the lock goes all the same, and what ended the run is what must be told.
        } finally {
          database.close();
        }
      },
    };
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    const holder = code.startsWith("SQLITE_BUSY") ? tryHolderOf(database) : undefined;
    database.close();
    if (code.startsWith("SQLITE_BUSY"))
      throw new FieldError(
        "RUN_FOLDER_BUSY",
        {
          at: folder,
          expected: "a folder that no other run uses",
          todo: `${holder === undefined ? "Another process" : `Process ${holder.pid} on ${holder.host}`} is running here; wait for it, stop it, or choose another output folder`,
        },
        { cause: error },
      );
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code))
      throw new FieldError(
        "RUN_LOCK_DAMAGED",
        { at: path, expected: "a lock written by perennial", todo: "make sure that no run uses the folder, then delete this file" },
        { cause: error },
      );
    throw new PerennialError("RUN_LOCK_FAILED", `${path}: ${(error as Error).message}`, { cause: error });
  }
}

function holderOf(database: Libsql.Database): ProcessIdentity | undefined {
  const row = database.prepare("SELECT identity FROM holder").all()[0] as { identity: string } | undefined;
  return row === undefined ? undefined : (JSON.parse(row.identity) as ProcessIdentity);
}

function tryHolderOf(database: Libsql.Database): ProcessIdentity | undefined {
  try {
    return holderOf(database);
  } catch {
    return undefined; // the holder is just writing its name
  }
}
