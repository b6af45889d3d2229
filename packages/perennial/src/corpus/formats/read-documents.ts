import { FieldError } from "../../errors.ts";
import type { Document } from "../document.ts";
import type { ByteOptions } from "./bytes.ts";
import { DamagedFile } from "./chunks.ts";
import { findInputs, type InputFile } from "./inputs.ts";
import { readJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";
import { type ReadRecord, type RecordFields, rejected } from "./record.ts";
import type { Rejections } from "./rejections.ts";
import { readText, type TextDocuments } from "./text.ts";

export interface ReadOptions {
  /** The field or column that holds the text. */
  readonly textField?: string;
  /** The field or column that holds the id; a record without one gets `file:line`. */
  readonly idField?: string;
  /** Where a document ends in plain text files. */
  readonly textDocuments?: TextDocuments;
  /** Longer records are set aside without being held in memory. */
  readonly maxRecordBytes?: number;
  /** Told how many bytes of the files (as they lie on disk) have been read. */
  readonly onBytes?: (bytes: number) => void;
  /** How addresses are read: tries, store. */
  readonly bytes?: ByteOptions;
  /** Parquet: how long a row group may take to decode, beside a second for each 2 MB, before it is set aside. Default 60. */
  readonly decodeSeconds?: number;
}

/** The options with their defaults, as the readers of single formats see them. */
export type RecordOptions = RecordFields & {
  readonly textDocuments: TextDocuments;
  readonly maxRecordBytes: number;
  readonly onBytes: ((bytes: number) => void) | undefined;
  readonly bytes: ByteOptions | undefined;
  readonly decodeSeconds: number | undefined;
};

const DEFAULTS = { textField: "text", idField: "id", textDocuments: "file", maxRecordBytes: 100_000_000 } as const;

/**
 * The documents of files, folders and globs, streamed. A broken record is set aside in `rejections`, counted there, and the run goes on;
 * without `rejections` the first broken record is an error. A file that cannot be opened or read is an error.
 */
export async function* readDocuments(
  paths: readonly string[],
  options: ReadOptions & { readonly rejections?: Rejections } = {},
): AsyncGenerator<Document> {
  for await (const { records } of readRecords(findInputs(paths), options)) {
    for (const record of records) {
      if ("document" in record) yield record.document;
      else if (options.rejections !== undefined) options.rejections.add(record.rejection);
      else {
        const { file, line, reason, detail } = record.rejection;
        throw new FieldError("BROKEN_RECORD", {
          at: line === undefined ? file : `${file}:${line}`,
          expected: `a document, found ${reason}${detail === undefined ? "" : ` (${detail})`}`,
          todo: "repair it, or hand in rejections to set such records aside",
        });
      }
    }
  }
}

/** Position of a reader: the file, and how many of its records are behind. */
export interface ReadPosition {
  readonly file: number;
  readonly record: number;
}

/** Documents and rejections in the order of the files, in batches that belong to one file, from a position on. */
export async function* readRecords(
  files: readonly InputFile[],
  options: ReadOptions,
  from: ReadPosition = { file: 0, record: 0 },
): AsyncGenerator<{ file: number; records: readonly ReadRecord[] }> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const full = { onBytes: undefined, bytes: undefined, decodeSeconds: undefined, ...DEFAULTS, ...given } as RecordOptions;
  for (let file = from.file; file < files.length; file++) {
    let skip = file === from.file ? from.record : 0;
    for await (const records of readFile(files[file]!, full)) {
      if (skip < records.length) yield { file, records: skip === 0 ? records : records.slice(skip) };
      skip = Math.max(0, skip - records.length);
    }
  }
}

/** What was read before a damage stays; the rest of the file is counted as one rejection. */
async function* readFile(file: InputFile, options: RecordOptions): AsyncGenerator<ReadRecord[]> {
  const read = { jsonl: readJsonl, parquet: readParquet, text: readText }[file.format];
  try {
    yield* read(file, options);
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    yield [rejected({ file: file.path }, "damaged-file", { detail: error.message })];
  }
}
