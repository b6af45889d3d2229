/**
 * Runs the cells of a reproduction, seed by seed, so that what is finished at any moment is whole seeds; as many at once as the pool holds.
 * Each finished cell is one file, written whole or not at all, that carries the hash of all it was computed from; a call that was cut short
 * goes on at the cells without one. Inside a cell the trainer's own checkpoints do the same.
 *   FOLDER/NAME/cells/ARM-seedS-HASH.json    FOLDER/NAME/work/…    FOLDER/NAME/tokens/SLOT/…    FOLDER/shared/…
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "../corpus/durable.ts";
import { FieldError, nearest } from "../errors.ts";
import type { RunEventMessage } from "../run/index.ts";
import { hashPath, hashText, lockRunFolder } from "../store/index.ts";
import { type CellPool, inThisProcess } from "./cell-pool.ts";
import { secondsOfCells } from "./cost.ts";
import { type Cell, type Claim, type Reproduction, ReproductionStopped, type Settings } from "./reproduction.ts";
import { realText } from "./text.ts";
import { type Estimate, estimateClaim, judge, type SeedCells, type Verdict } from "./verdict.ts";

export interface ReproduceOptions {
  readonly folder: string;
  readonly seeds: readonly number[];
  readonly settings: Settings;
  /** Only these arms; claims that need others are left out. */
  readonly arms?: readonly string[];
  /** Where cells run: in this process, one after the other, unless given. Left open. */
  readonly pool?: CellPool;
  readonly listen?: (message: RunEventMessage, of: CellOf) => void;
  /** Told once, before the first cell runs. */
  readonly onPlan?: (plan: CellPlan) => void;
  readonly onCell?: (progress: CellProgress) => void;
  /** Aborted: the running cells save and the call throws `ReproductionStopped`. */
  readonly signal?: AbortSignal;
}

export interface CellOf {
  readonly arm: string;
  readonly seed: number;
  /** From 1. */
  readonly number: number;
  readonly total: number;
}

export interface CellPlan {
  readonly total: number;
  readonly missing: number;
  /** Of computing in all, about; see `secondsOfCells`. */
  readonly seconds: number;
}

export interface CellProgress extends CellOf {
  readonly state: "begins" | "finished" | "kept";
  readonly cell?: Cell;
  readonly seconds?: number;
}

export interface CellRecord {
  readonly arm: string;
  readonly seed: number;
  readonly hash: string;
  readonly inputs: unknown;
  readonly cell: Cell;
  readonly seconds: number;
  readonly hardware: Readonly<Record<string, unknown>>;
}

export interface JudgedClaim extends Pick<Claim, "id" | "statement" | "quantity" | "unit" | "expect"> {
  readonly estimate: Estimate;
  /** By seed, in the order of the outcome's seeds. */
  readonly values: readonly number[];
  readonly verdict: Verdict;
}

export interface Outcome {
  readonly name: string;
  readonly settings: Settings;
  readonly seeds: readonly number[];
  readonly cells: readonly CellRecord[];
  readonly claims: readonly JudgedClaim[];
}

export async function reproduce(reproduction: Reproduction, options: ReproduceOptions): Promise<Outcome> {
  const { seeds, settings, folder } = options;
  const arms = armsOf(reproduction, options.arms);
  const home = join(folder, reproduction.name);
  mkdirSync(join(home, "cells"), { recursive: true });
  const lock = lockRunFolder(home);
  try {
    const texts = await Promise.all(reproduction.texts.map(async (name) => [name, (await hashPath(realText(name).path)).hash]));
    const total = seeds.length * arms.length;
    const cells = seeds.flatMap((seed, i) =>
      arms.map((arm, k): CellState => {
        const inputs = reproduction.inputs(arm, seed, settings);
        const hash = hashText(JSON.stringify({ inputs, texts }));
        const name = `${arm}-seed${seed}-${hash.slice(0, 12)}`;
        const file = join(home, "cells", `${name}.json`);
        return { of: { arm, seed, number: i * arms.length + k + 1, total }, inputs, hash, name, file, record: readRecord(file, hash) };
      }),
    );
    await runMissing(reproduction, cells, home, options);
    const records = cells.map(({ record }) => record!);
    return { name: reproduction.name, settings, seeds, cells: records, claims: judgeClaims(reproduction, seeds, records) };
  } finally {
    lock.release();
  }
}

interface CellState {
  readonly of: CellOf;
  readonly inputs: unknown;
  readonly hash: string;
  /** Of its file and of its folder while it runs. */
  readonly name: string;
  readonly file: string;
  record: CellRecord | undefined;
}

async function runMissing(reproduction: Reproduction, cells: readonly CellState[], home: string, options: ReproduceOptions): Promise<void> {
  const { settings, folder, pool = inThisProcess(reproduction), listen = () => {}, onPlan = () => {}, onCell = () => {} } = options;
  for (const { of, record } of cells) if (record !== undefined) onCell({ ...of, state: "kept", cell: record.cell, seconds: record.seconds }); // biome-ignore format: one line
  const open = cells.filter(({ record }) => record === undefined);
  const known = cells.flatMap(({ record }) => record ?? []);
  onPlan({ total: cells.length, missing: open.length, seconds: secondsOfCells(reproduction, settings, open.map(({ of }) => of.arm), known) }); // biome-ignore format: one line
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(pool.size, open.length) }, async (_, slot) => {
      for (let state = open.shift(); state !== undefined; state = open.shift()) {
        if (signal.aborted) throw new ReproductionStopped();
        await runOn(slot, state);
      }
    }),
  );
  // The first cell that failed stopped the others: its error is the one to tell.
  const errors = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => !(error instanceof ReproductionStopped)) ?? errors[0];

  async function runOn(slot: number, state: CellState): Promise<void> {
    const { of, inputs, hash, name, file } = state;
    onCell({ ...of, state: "begins" });
    const work = join(home, "work", name);
    const start = performance.now();
    try {
      const { cell, hardware } = await pool.run(
        slot,
        { arm: of.arm, seed: of.seed, settings },
        {
          folder: work,
          sharedFolder: join(folder, "shared"),
          tokensFolder: join(home, "tokens", String(slot)),
          listen: (message) => listen(message, of),
          signal,
        },
      );
      const seconds = (performance.now() - start) / 1000;
      state.record = { arm: of.arm, seed: of.seed, hash, inputs, cell, seconds, hardware };
      writeJson(file, state.record);
      rmSync(work, { recursive: true, force: true });
      onCell({ ...of, state: "finished", cell, seconds });
    } catch (error) {
      failed.abort();
      throw error;
    }
  }
}

/** All claims whose arms were run. */
export function judgeClaims(reproduction: Reproduction, seeds: readonly number[], cells: readonly CellRecord[]): JudgedClaim[] {
  const bySeed = seeds.map((seed): SeedCells => new Map(cells.filter((cell) => cell.seed === seed).map(({ arm, cell }) => [arm, cell])));
  const present = new Set(cells.map(({ arm }) => arm));
  return reproduction.claims.flatMap((claim) => {
    if (!armsRead(claim).every((arm) => present.has(arm))) return [];
    const { id, statement, quantity, unit, expect } = claim;
    const estimate = estimateClaim(claim, bySeed);
    const values = bySeed.map((cells) => claim.value((arm, key) => cells.get(arm)!.measurements[key]!));
    return [{ id, statement, quantity, unit, expect, estimate, values, verdict: judge(expect, estimate) }];
  });
}

function armsRead(claim: Claim): string[] {
  const read = new Set<string>();
  claim.value((arm) => {
    read.add(arm);
    return 1;
  });
  return [...read];
}

function armsOf({ name, arms }: Reproduction, wanted: readonly string[] | undefined): string[] {
  const known = arms.map((arm) => arm.name);
  for (const arm of wanted ?? [])
    if (!known.includes(arm)) {
      const near = nearest(arm, known);
      const todo = near === undefined ? undefined : `did you mean ${near}?`;
      throw new FieldError("REPRODUCE_ARM", {
        at: `${name} --arms`,
        expected: `some of ${known.join(", ")}`,
        received: arm,
        ...(todo === undefined ? {} : { todo }),
      });
    }
  return wanted === undefined ? known : known.filter((arm) => wanted.includes(arm));
}

/** A finished cell, if it was computed from the same inputs. Not-a-number and infinity are written as null, and read as not-a-number. */
function readRecord(file: string, hash: string): CellRecord | undefined {
  if (!existsSync(file)) return undefined;
  let record: CellRecord;
  try {
    record = JSON.parse(readFileSync(file, "utf8")) as CellRecord;
  } catch (cause) {
    throw new FieldError("REPRODUCE_CELL", { at: file, expected: "JSON", todo: "remove the file; the cell runs again" }, { cause });
  }
  return record.hash === hash ? record : undefined;
}
