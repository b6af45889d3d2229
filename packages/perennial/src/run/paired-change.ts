/**
 * How much a corpus changed since before the run, with the same documents on both sides: what makes some documents harder than
 * others falls out, so that the interval is much narrower than those of the two values.
 *   change = Σ (after_d − before_d) / (ln 2 · Σ bytes_d)     interval: bootstrap over documents d
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../corpus/formats/index.ts";
import type { HeldOutResult } from "../evaluate/model/index.ts";
import { bootstrapRatio } from "../evaluate/significance/index.ts";

/** Bits per byte; the bounds are those of the 95 % interval, not-a-number where none can be told. */
export interface Change {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export const UNKNOWN_CHANGE: Change = { value: Number.NaN, low: Number.NaN, high: Number.NaN };

type Documents = HeldOutResult["byDocument"];
const documentsSchema = z.array(z.strictObject({ lossSum: z.number(), bytes: z.number() }));
export const measuredBeforeFolder = (run: string) => join(run, "measured-before");
const pathOf = (run: string, corpus: string) => join(measuredBeforeFolder(run), `${encodeURIComponent(corpus)}.json`);

/** Kept in the folder of the run, so that a resumed one finds it. */
export function keepDocuments(folder: string, corpus: string, documents: Documents): void {
  const path = pathOf(folder, corpus);
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomic(path, JSON.stringify(documents));
}

/** Unknown when nothing was kept, or other documents were. */
export function changeSinceKept(folder: string, corpus: string, after: Documents, resamples: number): Change {
  const path = pathOf(folder, corpus);
  if (!existsSync(path)) return UNKNOWN_CHANGE;
  return changeOf(documentsSchema.parse(JSON.parse(readFileSync(path, "utf8"))), after, resamples);
}

export function changeOf(before: Documents, after: Documents, resamples: number): Change {
  const sizes = after.map(({ bytes }) => bytes);
  const same = before.length === after.length && before.every(({ bytes }, i) => bytes === sizes[i]);
  const bits = after.map(({ lossSum }, i) => (lossSum - (before[i]?.lossSum ?? Number.NaN)) / Math.LN2);
  if (!same || !bits.every(Number.isFinite)) return UNKNOWN_CHANGE;
  const value = bits.reduce((sum, one) => sum + one, 0) / sizes.reduce((sum, one) => sum + one, 0);
  return { value, ...(resamples > 0 ? bootstrapRatio(bits, sizes, { resamples }) : { low: Number.NaN, high: Number.NaN }) };
}
