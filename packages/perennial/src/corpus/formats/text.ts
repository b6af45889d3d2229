import { readChunks } from "./chunks.ts";
import type { InputFile } from "./inputs.ts";
import { type Line, splitLines } from "./lines.ts";
import type { RecordOptions } from "./read-documents.ts";
import { decodeText, excerptOf, plainDocument, type ReadRecord, rejected } from "./record.ts";

/** Where one document of a plain text file ends: with the file, at blank lines, or at lines of three dashes. */
export type TextDocuments = "file" | "blank-lines" | "dashes";

/** Plain text. Documents without anything but white space are none. */
export async function* readText(file: InputFile, options: RecordOptions): AsyncGenerator<ReadRecord[]> {
  if (options.textDocuments === "file") yield* wholeFile(file, options);
  else yield* separated(file, options, options.textDocuments === "dashes" ? /^---[ \t]*\r?$/ : /^[ \t]*\r?$/);
}

async function* wholeFile(file: InputFile, options: RecordOptions): AsyncGenerator<ReadRecord[]> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of readChunks(file, options)) {
    sizeBytes += chunk.length;
    if (sizeBytes <= options.maxRecordBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  const record = toDocument(chunks, { file: file.path, line: 1, offset: 0, sizeBytes }, options);
  if (record !== undefined) yield [record];
}

async function* separated(file: InputFile, options: RecordOptions, separator: RegExp): AsyncGenerator<ReadRecord[]> {
  let pieces: Uint8Array[] = [];
  let place = { file: file.path, line: 1, offset: 0, sizeBytes: 0 };
  const take = (next: Line, records: ReadRecord[]) => {
    const record = toDocument(pieces, place, options);
    if (record !== undefined) records.push(record);
    pieces = [];
    place = { ...place, line: next.number + 1, offset: next.offset + next.sizeBytes + 1, sizeBytes: 0 };
  };
  for await (const lines of splitLines(readChunks(file, options), options.maxRecordBytes)) {
    const records: ReadRecord[] = [];
    for (const line of lines) {
      if (line.bytes !== undefined && line.sizeBytes < 64 && separator.test(Buffer.from(line.bytes).toString("latin1"))) {
        take(line, records);
        continue;
      }
      place.sizeBytes += line.sizeBytes + 1;
      if (place.sizeBytes <= options.maxRecordBytes && line.bytes !== undefined) pieces.push(line.bytes, NEWLINE);
      else pieces = [];
    }
    yield records;
  }
  const last: ReadRecord[] = [];
  take({ bytes: undefined, number: 0, offset: 0, sizeBytes: 0 }, last);
  yield last;
}

const NEWLINE = new Uint8Array([10]);

function toDocument(
  pieces: readonly Uint8Array[],
  place: { file: string; line: number; offset: number; sizeBytes: number },
  options: RecordOptions,
): ReadRecord | undefined {
  if (place.sizeBytes > options.maxRecordBytes)
    return rejected(place, "oversized-record", { detail: `${place.sizeBytes} bytes or more, the limit is ${options.maxRecordBytes}` });
  const bytes = Buffer.concat(pieces);
  const decoded = decodeText(bytes);
  if (decoded === undefined) return rejected(place, "invalid-utf-8", { excerpt: excerptOf(bytes) });
  const text = decoded.replace(/^\ufeff/, "").replace(/^(?:[ \t]*\r?\n)+|\s+$/g, "");
  return text === "" ? undefined : plainDocument(text, place);
}
