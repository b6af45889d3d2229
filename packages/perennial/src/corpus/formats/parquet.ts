import { isUtf8 } from "node:buffer";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema, toJson } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { FieldError, nearest, PerennialError } from "../../errors.ts";
import { openBytes, type RandomBytes } from "./bytes.ts";
import type { InputFile } from "./inputs.ts";
import type { RecordOptions } from "./read-documents.ts";
import { documentFromObject, type ReadRecord, rejected } from "./record.ts";

/** A file of repeated values may have many rows in few bytes; a damaged one claims more than memory holds. */
const MAX_ROWS_PER_BYTE = 1000;

/** Stands in a row for bytes that are not UTF-8; the row is set aside if they were its text. */
const INVALID_UTF8 = Symbol("invalid UTF-8");

/**
 * Parquet, one row group at a time (so a group has to fit in memory). A row group that does not decode is set aside as a whole and
 * counted with its rows; the groups after it are read.
 */
export async function* readParquet(file: InputFile, options: RecordOptions): AsyncGenerator<ReadRecord[]> {
  const bytes = await openBytes(file.path, options.bytes);
  try {
    const buffer = asyncBuffer(bytes);
    const metadata = await parquetMetadataAsync(buffer).catch((cause: Error) => {
      throw new PerennialError("INPUT_UNREADABLE", `${file.path}: is not a readable Parquet file: ${cause.message}.`, { cause });
    });
    checkTextColumn(metadata, file, options.textField);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      options.onBytes?.(Number(group.total_compressed_size ?? group.total_byte_size));
      yield await readGroup(buffer, metadata, { rowStart, rowEnd }, file, options);
      rowStart = rowEnd;
    }
  } finally {
    await bytes.close();
  }
}

async function readGroup(
  buffer: AsyncBuffer,
  metadata: FileMetaData,
  range: { rowStart: number; rowEnd: number },
  file: InputFile,
  options: RecordOptions,
): Promise<ReadRecord[]> {
  const { rowStart, rowEnd } = range;
  let rows: Record<string, unknown>[];
  try {
    const parsers = {
      stringFromBytes: (bytes: Uint8Array | undefined) =>
        bytes && (isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8") : INVALID_UTF8),
    };
    checkGroup(metadata, rowStart, rowEnd, buffer.byteLength);
    rows = Array.from({ length: rowEnd - rowStart }, () => ({}));
    // Column by column: of several that fail at once, the library leaves all but one unhandled, which would end the process.
    for (const { element } of parquetSchema(metadata).children) {
      const columns = [element.name];
      const values = await parquetReadObjects({ file: buffer, metadata, compressors, parsers, rowStart, rowEnd, columns });
      for (const [i, row] of rows.entries()) Object.assign(row, values[i]);
    }
  } catch (error) {
    const detail = `rows ${rowStart + 1} to ${rowEnd} do not decode: ${(error as Error).message}`;
    return [rejected({ file: file.path, line: rowStart + 1 }, "damaged-file", { detail })];
  }
  return rows.map((row, index) => {
    const place = { file: file.path, line: rowStart + index + 1, offset: rowStart + index };
    if (row[options.textField] === INVALID_UTF8) return rejected(place, "invalid-utf-8");
    for (const key of Object.keys(row)) if (row[key] === null || row[key] === undefined || row[key] === INVALID_UTF8) delete row[key];
    return documentFromObject(toJson(row), place, options);
  });
}

/** A damaged description of a row group would send the decoder anywhere. */
function checkGroup({ row_groups }: FileMetaData, rowStart: number, rowEnd: number, byteLength: number): void {
  const most = MAX_ROWS_PER_BYTE * byteLength;
  if (!(rowEnd - rowStart >= 0 && rowEnd <= most)) throw new Error("so many rows cannot be in the file");
  let first = 0;
  for (const { num_rows, columns } of row_groups) {
    const inside = first < rowEnd && first + Number(num_rows) > rowStart;
    first += Number(num_rows);
    if (!inside) continue;
    for (const { meta_data } of columns) {
      if (!meta_data) throw new Error("a column has no description");
      const { num_values, data_page_offset, dictionary_page_offset = data_page_offset, total_compressed_size } = meta_data;
      const end = Number(dictionary_page_offset) + Number(total_compressed_size);
      if (!(Number(num_values) >= 0 && Number(num_values) <= most && Number(dictionary_page_offset) >= 0 && end <= byteLength))
        throw new Error("a column lies outside of the file");
    }
  }
}

function checkTextColumn(metadata: FileMetaData, file: InputFile, textField: string): void {
  const columns = metadata.schema.slice(1).map((element) => element.name);
  if (columns.includes(textField)) return;
  const near = nearest(textField, columns);
  throw new FieldError("PARQUET_COLUMN", {
    at: `${file.path} column "${textField}"`,
    expected: `one of its columns: ${columns.join(", ")}`,
    todo: near === undefined ? "name the column that holds the text as textField" : `write textField: "${near}" if that is meant`,
  });
}

function asyncBuffer({ byteLength, read }: RandomBytes): AsyncBuffer {
  return {
    byteLength,
    slice: async (start, end = byteLength) => (await read(start, end)).buffer as ArrayBuffer,
  };
}
