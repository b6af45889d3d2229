/** An output folder that is whole or not there: it is filled beside its place and renamed. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { FieldError } from "../../errors.ts";

export interface OutputOptions {
  /** A model or adapter that is there is replaced. Default: it is an error. */
  readonly overwrite?: boolean;
}

/** Errors: something is there already; it would replace one of `inputs`; what is there to replace is no model. */
export function checkOutput(output: string, inputs: readonly string[], { overwrite = false }: OutputOptions = {}): void {
  const found = statSync(output, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && readdirSync(output).length === 0)) return;
  if (!overwrite) throw new FieldError("OUTPUT", { at: output, expected: "a new or empty folder", todo: "choose another, or --overwrite" });
  if (inputs.some((input) => existsSync(input) && realpathSync(input) === realpathSync(output)))
    throw new FieldError("OUTPUT", { at: output, expected: "another folder than those that are read", todo: "choose another" });
  if (!["config.json", "adapter_config.json"].some((file) => existsSync(join(output, file))))
    throw new FieldError("OUTPUT", {
      at: output,
      expected: "a model or an adapter to overwrite",
      todo: "choose another, or delete what is there",
    });
}

/**
 * Calls `fill` with a new folder beside `output` and puts it in place when that is done; after an error nothing of it is left and
 * what was at `output` is still there. Errors: `bytes` that the disk has no room for, before anything is written.
 */
export async function writeWhole<Result>(
  output: string,
  bytes: number,
  fill: (folder: string) => Promise<Result> | Result,
): Promise<Result> {
  const place = resolve(output);
  mkdirSync(dirname(place), { recursive: true });
  checkRoom(place, bytes);
  const partial = mkdtempSync(join(dirname(place), `.${basename(place)}.partial-`));
  try {
    const result = await fill(partial);
    // Folders of mkdtemp are for their owner alone.
    chmodSync(partial, 0o777 & ~process.umask());
    replace(place, partial);
    return result;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function checkRoom(place: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(place));
  if (bytes > bavail * bsize)
    throw new FieldError("OUTPUT_ROOM", {
      at: dirname(place),
      expected: `${gigabytes(bytes)} of free space on the disk, and it has ${gigabytes(bavail * bsize)}`,
    });
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(3)} GB`;

function replace(place: string, partial: string): void {
  if (!existsSync(place)) {
    renameSync(partial, place);
    return;
  }
  const old = mkdtempSync(`${partial}-old-`);
  renameSync(place, join(old, "old"));
  try {
    renameSync(partial, place);
  } catch (error) {
    renameSync(join(old, "old"), place);
    throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}
