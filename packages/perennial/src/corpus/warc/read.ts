import { type ByteOptions, readBytes } from "../formats/bytes.ts";
import { gzipMembers } from "./members.ts";
import { parseWarc, type WarcItem } from "./parser.ts";

export interface WarcOptions extends ByteOptions {
  /** Longer records are passed over. */
  readonly maxRecordBytes?: number;
}

/** HPLT's cap of a record. */
export const MAX_RECORD_BYTES = 200_000_000;

/** The records of a WARC or WET file (`.warc`, `.warc.gz`, `.wet.gz`) at a path or address, and what was wrong between them. */
export function readWarc(location: string, { maxRecordBytes = MAX_RECORD_BYTES, ...options }: WarcOptions = {}): AsyncGenerator<WarcItem> {
  return parseWarc(gzipMembers(readBytes(location, options)), maxRecordBytes);
}

/** The same from bytes that are there already. */
export const parseWarcBytes = (bytes: AsyncIterable<Uint8Array>, maxRecordBytes = MAX_RECORD_BYTES): AsyncGenerator<WarcItem> =>
  parseWarc(gzipMembers(bytes), maxRecordBytes);
