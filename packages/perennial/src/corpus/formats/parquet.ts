import { isUtf8 } from "node:buffer";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema, toJson } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { FieldError, nearest, PerennialError } from "../../errors.ts";
import { openBytes, type RandomBytes } from "./bytes.ts";
import type { InputFile } from "./inputs.ts";
import { checkPages } from "./parquet-pages.ts";
import type { RecordOptions } from "./read-documents.ts";
import { documentFromObject, type ReadRecord, rejected } from "./record.ts";

/** A file of repeated values may have many rows in few bytes; a damaged one claims more than memory holds. */
const MAX_ROWS_PER_BYTE = 1000;

/** Columns of a row group whose bytes are kept between the look at their pages and the decoding. */
const MAX_RECENT = 64;

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
    await checkGroup(metadata, range, buffer);
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

/** A damaged description of a row group, or of a page in it, would send the decoder anywhere. */
async function checkGroup(
  { row_groups }: FileMetaData,
  { rowStart, rowEnd }: { readonly rowStart: number; readonly rowEnd: number },
  buffer: AsyncBuffer,
): Promise<void> {
  const { byteLength } = buffer;
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
      // An offset of 0 means that there is no dictionary.
      const start = Number(dictionary_page_offset) || Number(data_page_offset);
      const end = start + Number(total_compressed_size);
      if (!(Number(num_values) >= 0 && Number(num_values) <= most && start >= 0 && start <= end && end <= byteLength))
        throw new Error("a column lies outside of the file");
      checkPages(new Uint8Array(await buffer.slice(start, end)), most);
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

/** Keeps the bytes of the last columns that were looked at: they are read again to be decoded, and may come from far away. */
function asyncBuffer({ byteLength, read }: RandomBytes): AsyncBuffer {
  const recent: { start: number; end: number; bytes: ArrayBuffer }[] = [];
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const known = recent.find((one) => one.start <= start && end <= one.end);
      if (known !== undefined) return known.bytes.slice(start - known.start, end - known.start);
      const bytes = (await read(start, end)).buffer as ArrayBuffer;
      recent.unshift({ start, end, bytes });
      if (recent.length > MAX_RECENT) recent.pop();
      return bytes;
    },
  };
}
