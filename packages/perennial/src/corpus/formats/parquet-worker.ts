/** A thread that decodes row groups, so that one whose damage keeps the decoder busy for ever can be ended from outside. */
import { isUtf8 } from "node:buffer";
import { parentPort } from "node:worker_threads";
import { type FileMetaData, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";

export interface RowGroupRequest {
  /** Of the file, with this one row group. */
  readonly metadata: FileMetaData;
  readonly byteLength: number;
  /** Bytes of the columns, from their places in the file. */
  readonly parts: readonly { readonly start: number; readonly bytes: Uint8Array }[];
}

/** By column, in the order of the schema: its name and its values. Text that is not UTF-8 is an Error. */
export type RowGroupAnswer = { readonly columns: readonly (readonly [string, unknown[]])[] } | { readonly error: string };

const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && (isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8") : new Error("invalid UTF-8")),
};

async function decode({ metadata, byteLength, parts }: RowGroupRequest): Promise<RowGroupAnswer> {
  const slice = (start: number, end = byteLength): ArrayBuffer => {
    const part = parts.find((one) => one.start <= start && end <= one.start + one.bytes.byteLength);
    if (part === undefined) throw new Error(`bytes ${start} to ${end} are of no column`);
    return new Uint8Array(part.bytes.subarray(start - part.start, end - part.start)).buffer;
  };
  const file = { byteLength, slice };
  const rowEnd = Number(metadata.num_rows);
  const columns: [string, unknown[]][] = [];
  // Column by column: of several that fail at once, the library leaves all but one unhandled, which would end the thread.
  for (const { element } of parquetSchema(metadata).children) {
    const rows = await parquetReadObjects({ file, metadata, compressors, parsers, rowStart: 0, rowEnd, columns: [element.name] });
    columns.push([element.name, rows.map((row) => row[element.name])]);
  }
  return { columns };
}

parentPort?.on("message", async (request: RowGroupRequest) => {
  const answer = await decode(request).catch((error: Error): RowGroupAnswer => ({ error: error.message }));
  parentPort!.postMessage(answer);
});
