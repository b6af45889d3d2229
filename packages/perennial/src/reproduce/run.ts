/**
 * Runs the cells of a reproduction, one after the other, seed by seed, so that what is finished at any moment is whole seeds. Each finished
 * cell is one file, written whole or not at all, that carries the hash of all it was computed from; a call that was cut short goes on at the
 * first cell without one. Inside a cell the trainer's own checkpoints do the same.
 *   FOLDER/NAME/cells/ARM-seedS-HASH.json    FOLDER/NAME/work/…    FOLDER/shared/…
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "../corpus/durable.ts";
import { FieldError, nearest } from "../errors.ts";
import type { Listener } from "../run/index.ts";
import { hashPath, hashText, lockRunFolder } from "../store/index.ts";
import { describeHardware } from "../train/hardware.ts";
import type { Cell, Claim, Reproduction, Settings } from "./reproduction.ts";
import { realText } from "./text.ts";
import { type Estimate, estimateClaim, judge, type SeedCells, type Verdict } from "./verdict.ts";

export interface ReproduceOptions {
  readonly folder: string;
  readonly seeds: readonly number[];
  readonly settings: Settings;
  /** Only these arms; claims that need others are left out. */
  readonly arms?: readonly string[];
  readonly listen?: Listener;
  readonly onCell?: (progress: CellProgress) => void;
  /** Aborted: the running cell saves and the call throws `ReproductionStopped`. */
  readonly signal?: AbortSignal;
}

export interface CellProgress {
  readonly arm: string;
  readonly seed: number;
  /** From 1. */
  readonly number: number;
  readonly total: number;
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

export class ReproductionStopped extends Error {}

export async function reproduce(reproduction: Reproduction, options: ReproduceOptions): Promise<Outcome> {
  const { seeds, settings, folder, signal, onCell = () => {} } = options;
  const arms = armsOf(reproduction, options.arms);
  const home = join(folder, reproduction.name);
  mkdirSync(join(home, "cells"), { recursive: true });
  const lock = lockRunFolder(home);
  try {
    const texts = await Promise.all(reproduction.texts.map(async (name) => [name, (await hashPath(realText(name).path)).hash]));
    const cells: CellRecord[] = [];
    const total = seeds.length * arms.length;
    for (const seed of seeds)
      for (const arm of arms) {
        const inputs = reproduction.inputs(arm, seed, settings);
        const hash = hashText(JSON.stringify({ inputs, texts }));
        const name = `${arm}-seed${seed}-${hash.slice(0, 12)}`;
        const file = join(home, "cells", `${name}.json`);
        const progress = { arm, seed, number: cells.length + 1, total };
        const kept = readRecord(file, hash);
        if (kept !== undefined) {
          cells.push(kept);
          onCell({ ...progress, state: "kept", cell: kept.cell, seconds: kept.seconds });
          continue;
        }
        if (signal?.aborted === true) throw new ReproductionStopped();
        onCell({ ...progress, state: "begins" });
        const work = join(home, "work", name);
        const start = performance.now();
        const context = { folder: work, sharedFolder: join(folder, "shared"), listen: options.listen ?? (() => {}), signal };
        const cell = await reproduction.run(inputs, context);
        const seconds = (performance.now() - start) / 1000;
        const record: CellRecord = { arm, seed, hash, inputs, cell, seconds, hardware: describeHardware() };
        writeJson(file, record);
        rmSync(work, { recursive: true, force: true });
        cells.push(record);
        onCell({ ...progress, state: "finished", cell, seconds });
      }
    return { name: reproduction.name, settings, seeds, cells, claims: judgeClaims(reproduction, seeds, cells) };
  } finally {
    lock.release();
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
