/**
 * Rows of a Parquet file, one row group at a time (so a group has to fit in memory), decoded on a thread: what a damaged file holds can
 * keep the decoder busy for ever, or exhaust its memory, and only a thread can be ended from outside.
 */
import type { Worker } from "node:worker_threads";
import { type FileMetaData, parquetMetadataAsync } from "hyparquet";
import { PerennialError } from "../../errors.ts";
import { startThread } from "../../thread.ts";
import { type ByteOptions, openBytes, type RandomBytes } from "./bytes.ts";
import { checkPages } from "./parquet-pages.ts";
import type { RowGroupAnswer, RowGroupRequest } from "./parquet-worker.ts";

export interface ParquetRowOptions {
  readonly bytes?: ByteOptions | undefined;
  /** How long a row group may take to decode, beside a second for each 2 MB of it, before it counts as damaged. Default 60. */
  readonly decodeSeconds?: number | undefined;
  /** Told the bytes of a row group before it is read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Text that is not UTF-8 is an Error among the values. `problem`: why there are no rows. */
export interface ParquetRowGroup {
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly rows: readonly Record<string, unknown>[];
  readonly problem: string | undefined;
}

const DECODE_SECONDS = 60;
const BYTES_PER_SECOND = 2e6;

/** A file of repeated values may have many rows in few bytes; a damaged one claims more than memory holds. */
const MAX_ROWS_PER_BYTE = 1000;

/** `check` sees the description of the file before any row is read. */
export async function* readParquetRows(
  path: string,
  { bytes: byteOptions, decodeSeconds = DECODE_SECONDS, onBytes }: ParquetRowOptions = {},
  check: (metadata: FileMetaData) => void = () => {},
): AsyncGenerator<ParquetRowGroup> {
  const bytes = await openBytes(path, byteOptions);
  try {
    const buffer = {
      byteLength: bytes.byteLength,
      slice: async (start: number, end?: number) => (await bytes.read(start, end ?? bytes.byteLength)).buffer as ArrayBuffer,
    };
    const metadata = await parquetMetadataAsync(buffer).catch((cause: Error) => {
      throw new PerennialError("INPUT_UNREADABLE", `${path}: is not a readable Parquet file: ${cause.message}.`, { cause });
    });
    check(metadata);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      onBytes?.(Number(group.total_compressed_size ?? group.total_byte_size));
      const place = { rowStart, rowEnd };
      try {
        const parts = await readColumns(bytes, group, rowEnd - rowStart);
        const size = parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
        const request = { metadata: { ...metadata, row_groups: [group], num_rows: group.num_rows }, byteLength: bytes.byteLength, parts };
        const columns = await decoder.decode(request, decodeSeconds + size / BYTES_PER_SECOND);
        const rows = Array.from({ length: rowEnd - rowStart }, (_, i) =>
          Object.fromEntries(columns.map(([name, values]) => [name, values[i]])),
        );
        yield { ...place, rows, problem: undefined };
      } catch (error) {
        yield { ...place, rows: [], problem: `rows ${rowStart + 1} to ${rowEnd} do not decode: ${(error as Error).message}` };
      }
      rowStart = rowEnd;
    }
  } finally {
    await bytes.close();
  }
}

/** A damaged description of a row group, or of a page in it, would send the decoder anywhere. */
async function readColumns({ byteLength, read }: RandomBytes, { columns }: FileMetaData["row_groups"][number], rows: number) {
  const most = MAX_ROWS_PER_BYTE * byteLength;
  if (!(rows >= 0 && rows <= most)) throw new Error("so many rows cannot be in the file");
  const parts: { start: number; bytes: Uint8Array }[] = [];
  for (const { meta_data } of columns) {
    if (!meta_data) throw new Error("a column has no description");
    const { num_values, data_page_offset, dictionary_page_offset = data_page_offset, total_compressed_size } = meta_data;
    // An offset of 0 means that there is no dictionary.
    const start = Number(dictionary_page_offset) || Number(data_page_offset);
    const end = start + Number(total_compressed_size);
    if (!(Number(num_values) >= 0 && Number(num_values) <= most && start >= 0 && start <= end && end <= byteLength))
      throw new Error("a column lies outside of the file");
    const bytes = await read(start, end);
    checkPages(bytes, most);
    parts.push({ start, bytes });
  }
  return parts;
}

type Columns = Extract<RowGroupAnswer, { columns: unknown }>["columns"];

/** One thread for all files that this one reads, started when it is needed; it does not keep the process alive. */
class Decoder {
  private thread: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** One after the other, so that the time of each is its own. */
  decode(request: RowGroupRequest, seconds: number): Promise<Columns> {
    const decoded = this.last.then(() => this.ask(request, seconds));
    this.last = decoded.catch(() => {});
    return decoded;
  }

  private ask(request: RowGroupRequest, seconds: number): Promise<Columns> {
    this.thread ??= startThread(new URL("./parquet-worker.ts", import.meta.url)).setMaxListeners(0);
    const thread = this.thread;
    thread.ref();
    return new Promise((resolve, reject) => {
      const answered = (answer: RowGroupAnswer) =>
        settle(() => ("error" in answer ? reject(new Error(answer.error)) : resolve(answer.columns)));
      const ended = (cause: Error | number) => {
        this.thread = undefined;
        settle(() => reject(new Error(typeof cause === "number" ? "the decoder ended" : cause.message)));
      };
      const timer = setTimeout(() => {
        this.thread = undefined;
        settle(() => reject(new Error(`no end of it after ${seconds.toFixed(0)} s`)));
        void thread.terminate();
      }, 1000 * seconds);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        thread.off("message", answered).off("error", ended).off("exit", ended);
        thread.unref();
        act();
      };
      thread.once("message", answered).once("error", ended).once("exit", ended);
      thread.postMessage(
        request,
        request.parts.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
    });
  }
}

const decoder = new Decoder();
