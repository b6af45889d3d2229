/**
 * The numbers that filters decide by, of every document that is neither foreign nor a copy: a line each, without the text, so that thresholds
 * can be fitted and decisions be made again by reading little. Numbers are kept exactly.
 */

import type { Statistics } from "../filter/index.ts";
import { readJsonLines } from "../formats/index.ts";
import { places } from "./places.ts";

/** The order of `Measured.statistics`. */
export const STATISTIC_NAMES = [
  "characters",
  "words",
  "coreWords",
  "meanWordLength",
  "alphabeticWordShare",
  "hashesPerWord",
  "ellipsesPerWord",
  "stopWords",
  "newlinesPerWord",
  "top2GramCharacterShare",
  "top3GramCharacterShare",
  "top4GramCharacterShare",
  "duplicate5GramCharacterShare",
  "duplicate6GramCharacterShare",
  "duplicate7GramCharacterShare",
  "duplicate8GramCharacterShare",
  "duplicate9GramCharacterShare",
  "duplicate10GramCharacterShare",
  "bulletLineShare",
  "ellipsisLineShare",
  "duplicateParagraphShare",
  "duplicateParagraphCharacterShare",
  "duplicateLineShare",
  "duplicateLineCharacterShare",
  "filledLines",
  "terminalLineShare",
  "shortLineShare",
  "duplicateFilledLineCharacterShare",
] as const satisfies readonly (keyof Statistics)[];

export interface Measured {
  /** Of the document in its shard's read/ file. */
  readonly row: number;
  readonly id: string;
  readonly label: string;
  readonly languageScore: number | null;
  readonly clusterSize: number;
  /** Bytes of text. */
  readonly bytes: number;
  /** Absent where no filter needs them. */
  readonly statistics?: readonly number[];
  /** The ten numbers of HPLT's `doc_scores`. */
  readonly scores?: readonly number[];
}

export const packStatistics = (statistics: Statistics): number[] => STATISTIC_NAMES.map((name) => statistics[name]);

export const unpackStatistics = (values: readonly number[]): Statistics =>
  Object.fromEntries(STATISTIC_NAMES.map((name, i) => [name, values[i]!])) as unknown as Statistics;

/** The lines of a shard, in the order of their rows. */
export const readMeasured = (folder: string, shard: number): AsyncGenerator<Measured> =>
  readJsonLines<Measured>(places.measured(folder, shard));
