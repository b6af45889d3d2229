/** An output folder that is whole or not there: Ctrl-C leaves nothing half-written in it. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FieldError } from "perennial";

/** `shown`: as the user wrote it. */
export function checkNewFolder(folder: string, shown: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && readdirSync(folder).length === 0)) return;
  throw new FieldError("OUTPUT", { at: shown, expected: "a new or empty folder", todo: "choose another, or delete what is there" });
}

export async function saveWhole(tokenizer: { save(folder: string): Promise<void> }, folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const partial = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
  try {
    // Folders of mkdtemp are for their owner alone; one below has the usual rights.
    const whole = join(partial, "whole");
    await tokenizer.save(whole);
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) rmdirSync(folder);
    renameSync(whole, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
