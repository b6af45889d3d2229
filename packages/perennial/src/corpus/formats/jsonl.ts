import { readChunks } from "./chunks.ts";
import type { InputFile } from "./inputs.ts";
import { type Line, splitLines } from "./lines.ts";
import type { RecordOptions } from "./read-documents.ts";
import { decodeText, documentFromObject, excerptOf, type ReadRecord, rejected } from "./record.ts";

/** One JSON object a line; blank lines are passed over, a byte order mark at the start too. */
export async function* readJsonl(file: InputFile, options: RecordOptions): AsyncGenerator<ReadRecord[]> {
  for await (const lines of splitLines(readChunks(file, options), options.maxRecordBytes)) {
    const records: ReadRecord[] = [];
    for (const line of lines) {
      const record = readLine(line, file.path, options);
      if (record !== undefined) records.push(record);
    }
    yield records;
  }
}

function readLine({ bytes, number: line, offset, sizeBytes }: Line, file: string, options: RecordOptions): ReadRecord | undefined {
  const place = { file, line, offset, sizeBytes };
  if (bytes === undefined) {
    return rejected(place, "oversized-record", { detail: `${sizeBytes} bytes, the limit is ${options.maxRecordBytes}` });
  }
  const decoded = decodeText(bytes);
  if (decoded === undefined) return rejected(place, "invalid-utf-8", { excerpt: excerptOf(bytes) });
  const json = line === 1 && decoded.charCodeAt(0) === 0xfeff ? decoded.slice(1) : decoded;
  if (json.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return rejected(place, "invalid-json", { detail: (error as Error).message, excerpt: excerptOf(bytes) });
  }
  return documentFromObject(value, place, options);
}
