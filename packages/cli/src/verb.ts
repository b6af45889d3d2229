/** A verb: one file that says which arguments and options it takes, and one call into the library. */
import { mkdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { OpenOptions, Store } from "perennial/store";
import type { Effects } from "./effects.ts";

/** The exit code of a program that was ended by Ctrl-C. */
export const INTERRUPTED = 130;

/** The work was cut short as asked, everything is saved and told: nothing is left but to leave. */
export class Interrupted extends Error {}

/** The exit code of work that came to its end, but not with all of its inputs. */
export const INCOMPLETE = 3;

/** What could be done is done; the message says what was set aside. */
export class Incomplete extends Error {}

export type Verb = (command: Command, effects: Effects) => void;

/** Keeps the type of the parameters where a verb is defined. */
export const verb = (define: Verb): Verb => define;

export interface StoreOptions {
  store: string;
}

export function storeOption(command: Command): Command {
  return command.option("--store <path>", "where runs are kept", ".perennial/store.db");
}

/** Opens the store, does the work, closes the store. */
export async function withStore<T>(
  options: StoreOptions,
  mode: OpenOptions["mode"],
  effects: Effects,
  work: (store: Store) => T | Promise<T>,
): Promise<T> {
  const { openStore } = await import("perennial/store");
  const store = openStore(resolve(effects.cwd, options.store), { mode });
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** Notes in the store that the model in `output` came of the models at `parents`. */
export async function recordLineage(
  options: StoreOptions,
  effects: Effects,
  output: string,
  parents: readonly string[],
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { hashPath } = await import("perennial/store");
  mkdirSync(dirname(resolve(effects.cwd, options.store)), { recursive: true });
  await withStore(options, "write", effects, async ({ lineage }) => {
    const known = [];
    for (const path of new Set(parents)) {
      const content = await hashPath(path);
      lineage.record({ ...content, kind: "model", name: basename(path), path }, null);
      known.push({ hash: content.hash, role: "model" as const });
    }
    const content = await hashPath(output);
    lineage.record({ ...content, kind: "model", name: basename(output), path: output, details }, null);
    lineage.connect(
      content.hash,
      known.filter(({ hash }) => hash !== content.hash),
      null,
    );
  });
}

export const setOption = (command: Command): Command =>
  command.option(
    "--set <path=value>",
    "override a field, e.g. train.tokens=2M (repeatable)",
    (value: string, all: string[]) => [...all, value],
    [] as string[],
  );

/** A number from the command line, checked where it is read: the message names the option. */
const numberThat = (holds: (value: number) => boolean, expected: string) => (written: string) => {
  const value = written.trim() === "" ? Number.NaN : Number(written);
  if (!holds(value)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return value;
};

export const wholeNumber = numberThat((value) => Number.isSafeInteger(value) && value >= 0, "a whole number");
export const positiveWholeNumber = numberThat((value) => Number.isSafeInteger(value) && value >= 1, "a whole number of at least 1");
export const nonNegativeNumber = numberThat((value) => Number.isFinite(value) && value >= 0, "a number of at least 0");
export const shareNumber = numberThat((value) => value > 0 && value <= 1, "a number above 0 and at most 1");

const FACTORS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

export function byteCount(written: string): number {
  const [, number, suffix] = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(written) ?? [];
  const value = Math.round(Number(number) * (FACTORS[suffix ?? ""] ?? 1));
  if (!(value >= 1)) throw new InvalidArgumentError("Expected a number of bytes such as 500M.");
  return value;
}
