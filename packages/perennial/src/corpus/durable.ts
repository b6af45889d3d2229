/** Files that are either whole or not there: written beside their place, flushed to the disk, then renamed. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { FieldError } from "../errors.ts";
import { syncFolder, writeFileAtomic } from "./formats/atomic.ts";

export { syncFolder, writeFileAtomic as writeDurably };

/** Where a file is written until it is whole. Only one task writes a file, so that a left-over is simply written over. */
export const partial = (path: string): string => `${path}.partial`;

/**
 * Gives the finished `partial(path)` its name. Its content is on the disk then; the name is with the next `writeJson` in the same folder, the
 * mark of the task that the file belongs to.
 */
export function publish(path: string): void {
  const file = openSync(partial(path), "r+");
  fsyncSync(file);
  closeSync(file);
  renameSync(partial(path), path);
}

/** Writes all of `bytes`, or throws (a full disk ends a write early without an error). */
export function writeFully(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
}

export const writeJson = (path: string, value: unknown): void => writeFileAtomic(path, `${JSON.stringify(value, undefined, 1)}\n`);

/** The parsed file, or undefined where there is none. */
export function readJson<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (cause) {
    throw new FieldError(
      "CORPUS_FILE",
      { at: path, expected: "JSON", todo: "remove the file; the step that wrote it runs again" },
      { cause },
    );
  }
}
