/**
 * Fixed-size records on disk, sorted in bounded memory. A record is 1 to 4 words of 64 bits, little-endian, ordered word by word as
 * unsigned integers. Document numbers are stored as IEEE doubles: for positive doubles both orders agree, and JavaScript reads them as is.
 */
import { closeSync, mkdirSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { PerennialError } from "../../errors.ts";
import { writeFully } from "../durable.ts";
import { corpusNative } from "../native.ts";

export type Run = readonly [path: string, offset: number, bytes: number];

const WORD_BYTES = 8;
/** Open files and seek distance stay reasonable up to here; more runs are merged in rounds. */
const MAX_FAN_IN = 256;
const MIN_BUFFER_BYTES = 4096;
/** More makes reading and writing no faster. */
const MAX_BUFFER_BYTES = 4 << 20;

/** Position of a document in its corpus, shard by shard, as one number: `shard · 2^32 + row`. */
export const documentNumber = (shard: number, row: number): number => shard * 2 ** 32 + row;
export const shardOf = (number: number): number => Math.floor(number / 2 ** 32);
export const rowOf = (number: number): number => number % 2 ** 32;

export interface MergeOptions {
  readonly wordsPerRecord: number;
  readonly memoryBytes: number;
  /** Where to keep intermediate merges. */
  readonly scratch: string;
  /** All records, in order. */
  readonly output?: string;
  /** (last word of the first record of a key, last word of each later one), the key being all words but the last. */
  readonly pairs?: string;
  /** Drop repeated records. */
  readonly unique?: boolean;
}

/** Merges sorted runs into `output` and `pairs`. */
export function mergeRuns(runs: readonly Run[], options: MergeOptions): { records: number; pairs: number } {
  const { wordsPerRecord, memoryBytes, scratch, output, pairs, unique = false } = options;
  const native = corpusNative();
  let left = runs.filter(([, , bytes]) => bytes > 0);
  const intermediate: string[] = [];
  // No larger than the largest run: fresh pages of memory cost more than a small merge.
  const buffer = (of: readonly Run[]) => {
    const largest = of.reduce((most, [, , bytes]) => Math.max(most, bytes), MIN_BUFFER_BYTES);
    return Math.min(MAX_BUFFER_BYTES, largest, Math.max(MIN_BUFFER_BYTES, Math.floor(memoryBytes / (of.length + 2))));
  };
  while (left.length > MAX_FAN_IN) {
    mkdirSync(scratch, { recursive: true });
    const merged: Run[] = [];
    for (let at = 0; at < left.length; at += MAX_FAN_IN) {
      const path = join(scratch, `merge-${intermediate.length}.records`);
      const group = left.slice(at, at + MAX_FAN_IN);
      native.mergeRecordRuns(group, wordsPerRecord, buffer(group), path, "", unique);
      intermediate.push(path);
      merged.push([path, 0, statSync(path).size]);
    }
    left = merged;
  }
  const [records, numPairs] = native.mergeRecordRuns(left, wordsPerRecord, buffer(left), output ?? "", pairs ?? "", unique);
  for (const path of intermediate) rmSync(path);
  return { records: records!, pairs: numPairs! };
}

/** Sorts any number of records in `memoryBytes`: full buffers are sorted and set aside as runs, which are merged at the end. */
export class RecordSorter {
  private readonly wordsPerRecord: number;
  private readonly memoryBytes: number;
  private readonly scratch: string;
  private readonly capacity: number;
  /** Grows up to its capacity, so that a small sort costs little. */
  private words: Float64Array;
  private readonly runs: Run[] = [];
  private filled = 0;

  constructor({ wordsPerRecord, memoryBytes, scratch }: Pick<MergeOptions, "wordsPerRecord" | "memoryBytes" | "scratch">) {
    this.wordsPerRecord = wordsPerRecord;
    this.memoryBytes = memoryBytes;
    this.scratch = scratch;
    this.capacity = wordsPerRecord * Math.max(1024, Math.floor(memoryBytes / (wordsPerRecord * WORD_BYTES)));
    this.words = new Float64Array(1024 * wordsPerRecord);
    mkdirSync(scratch, { recursive: true });
  }

  push(first: number, second: number, third?: number): void {
    this.words[this.filled++] = first;
    this.words[this.filled++] = second;
    if (third !== undefined) this.words[this.filled++] = third;
    if (this.filled < this.words.length) return;
    if (this.filled === this.capacity) {
      this.spill();
      return;
    }
    const larger = new Float64Array(Math.min(this.capacity, 2 * this.filled));
    larger.set(this.words);
    this.words = larger;
  }

  /** Writes all records in order to `output`, without repeats. The sorter is spent. */
  finish(output: string): number {
    if (this.filled > 0) this.spill();
    const { records } = mergeRuns(this.runs, {
      wordsPerRecord: this.wordsPerRecord,
      memoryBytes: this.memoryBytes,
      scratch: this.scratch,
      output,
      unique: true,
    });
    for (const [path] of this.runs) rmSync(path);
    return records;
  }

  private spill(): void {
    const path = join(this.scratch, `run-${this.runs.length}.records`);
    const bytes = this.filled * WORD_BYTES;
    corpusNative().sortRecords(new BigUint64Array(this.words.buffer), this.filled / this.wordsPerRecord, this.wordsPerRecord);
    const file = openSync(path, "w");
    try {
      writeFully(file, new Uint8Array(this.words.buffer, 0, bytes));
    } finally {
      closeSync(file);
    }
    this.runs.push([path, 0, bytes]);
    this.filled = 0;
  }
}

const READ_BYTES = 1 << 16;

/** Reads records from number `from` on; each step gives the same array, refilled. */
export function* readRecords(path: string, wordsPerRecord: number, from = 0): Generator<Float64Array, void, void> {
  const recordBytes = wordsPerRecord * WORD_BYTES;
  const buffer = new Uint8Array(READ_BYTES - (READ_BYTES % recordBytes));
  const record = new Float64Array(wordsPerRecord);
  const words = new Float64Array(buffer.buffer, 0, buffer.length / WORD_BYTES);
  const file = openSync(path, "r");
  try {
    for (let position = from * recordBytes; ; ) {
      let filled = 0;
      for (let got = -1; got !== 0 && filled < buffer.length; filled += got)
        got = readSync(file, buffer, filled, buffer.length - filled, position + filled);
      if (filled === 0) return;
      if (filled % recordBytes !== 0)
        throw new PerennialError("CORPUS_FILE", `${path}: the file ends inside a record. Remove it; the step that wrote it runs again.`);
      for (let at = 0; at < filled / WORD_BYTES; at += wordsPerRecord) {
        for (let i = 0; i < wordsPerRecord; i++) record[i] = words[at + i]!;
        yield record;
      }
      position += filled;
    }
  } finally {
    closeSync(file);
  }
}

/** The number of the first record whose first word is at least `bound`, by bisection of a sorted file. */
export function lowerBound(path: string, wordsPerRecord: number, bound: number): number {
  const recordBytes = wordsPerRecord * WORD_BYTES;
  const file = openSync(path, "r");
  try {
    const word = new Float64Array(1);
    let low = 0;
    let high = statSync(path).size / recordBytes;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      readSync(file, word, 0, WORD_BYTES, middle * recordBytes);
      if (word[0]! < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  } finally {
    closeSync(file);
  }
}
