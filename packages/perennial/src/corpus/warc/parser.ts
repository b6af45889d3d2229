/**
 * WARC 1.0 and 1.1 records (ISO 28500) from a stream of pieces. What is not a record is passed over up to the next line that begins one;
 * what is longer than the limit is passed over without being held.
 */
import type { Damage, Piece } from "./members.ts";

export interface WarcRecord {
  /** `response`, `conversion`, `warcinfo` … */
  readonly type: string;
  /** Header fields, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Uint8Array;
  /** Bytes from the start of the file to the record (compressed: to its gzip member). */
  readonly offset: number;
  /** Bytes that the record (compressed: its gzip member) takes in the file; absent where a member holds several. */
  readonly sizeBytes?: number;
}

export type WarcFlaw = "damaged-member" | "malformed-record" | "oversized-record" | "truncated-record";

export interface WarcRejection {
  readonly offset: number;
  readonly reason: WarcFlaw;
  readonly detail: string;
}

export type WarcItem = { readonly record: WarcRecord } | { readonly rejection: WarcRejection };

const MAX_HEADER_BYTES = 1 << 16;
/** What begins no record is told in stretches of at most this. */
const MAX_GARBAGE_BYTES = 1 << 20;
const VERSION = Buffer.from("WARC/1.");
const CR = 13;
const LF = 10;

export async function* parseWarc(pieces: AsyncIterable<Piece | Damage>, maxRecordBytes: number): AsyncGenerator<WarcItem> {
  let held: Buffer = Buffer.alloc(0);
  /** Pieces behind `held`, joined to it once there are `wanted` bytes in all: a long record is copied once, not with every piece. */
  let parts: Uint8Array[] = [];
  let total = 0;
  let wanted = 0;
  /** Where in the file the bytes of `held` come from, ascending. */
  let marks: { at: number; offset: number; plain: boolean }[] = [];
  let skipping = 0;

  const offsetAt = (position: number): number => {
    const mark = marks.findLast(({ at }) => at <= position);
    return mark ? mark.offset + (mark.plain ? position - mark.at : 0) : 0;
  };
  const consume = (count: number) => {
    held = held.subarray(count);
    total -= count;
    const first = Math.max(
      0,
      marks.findLastIndex(({ at }) => at <= count),
    );
    marks = marks.slice(first).map(({ at, offset, plain }) => ({ at: at - count, offset, plain }));
  };

  for await (const piece of pieces) {
    if ("damage" in piece) {
      if (total > 0 || skipping > 0) yield flaw(offsetAt(0), "truncated-record", "the record breaks off before a damaged place");
      yield flaw(piece.offset, "damaged-member", piece.damage);
      [held, parts, total, wanted, marks, skipping] = [Buffer.alloc(0), [], 0, 0, [], 0];
      continue;
    }
    marks.push({ at: total, offset: piece.offset, plain: piece.plain ?? false });
    parts.push(piece.bytes);
    total += piece.bytes.length;
    if (total < wanted) continue;
    held = Buffer.concat([held, ...parts.splice(0)]);
    const found: WarcRecord[] = [];
    for (;;) {
      if (skipping > 0) {
        const count = Math.min(skipping, held.length);
        skipping -= count;
        consume(count);
        if (skipping > 0) break;
      }
      const step = nextRecord(held, maxRecordBytes);
      if ("needs" in step) {
        wanted = step.needs;
        break;
      }
      const offset = offsetAt(step.start);
      if ("flaw" in step) yield flaw(offset, step.flaw, step.detail);
      else if ("record" in step) found.push({ ...step.record, offset, ...(piece.plain ? { sizeBytes: step.end - step.start } : {}) });
      skipping = Math.max(0, step.end - held.length);
      consume(Math.min(step.end, held.length));
    }
    const alone = piece.last && found.length === 1 && found[0]!.offset === piece.offset;
    for (const record of found) yield { record: alone ? { ...record, sizeBytes: piece.sizeBytes } : record };
  }
  held = Buffer.concat([held, ...parts]);
  if (skipping > 0 || held.some((byte) => byte !== CR && byte !== LF)) {
    const begun = skipping > 0 || held.subarray(lineBreaks(held)).subarray(0, VERSION.length).equals(VERSION);
    yield flaw(offsetAt(0), begun ? "truncated-record" : "malformed-record", "the file ends inside the record");
  }
}

type Step = { start: number; end: number } & (
  | { record: Omit<WarcRecord, "offset"> }
  | { flaw: WarcFlaw; detail: string }
  | { nothing: true }
);

const lineBreaks = (bytes: Buffer): number => {
  let count = 0;
  while (bytes[count] === CR || bytes[count] === LF) count++;
  return count;
};

/** The next thing in `bytes`, or how many of them are needed to tell. */
function nextRecord(bytes: Buffer, maxRecordBytes: number): Step | { needs: number } {
  const start = lineBreaks(bytes);
  if (start > 0 && start === bytes.length) return { start, end: start, nothing: true };
  const left = bytes.length - start;
  if (left < VERSION.length) return { needs: start + VERSION.length };
  if (!bytes.subarray(start, start + VERSION.length).equals(VERSION)) {
    const next = bytes.indexOf("\nWARC/1.", start);
    if (next >= 0) return { start, end: next + 1, flaw: "malformed-record", detail: "bytes that begin no record" };
    if (left <= MAX_GARBAGE_BYTES) return { needs: bytes.length + 1 };
    return { start, end: bytes.length - VERSION.length, flaw: "malformed-record", detail: "bytes that begin no record" };
  }
  const head = headEnd(bytes, start);
  if (head === undefined) {
    if (left <= MAX_HEADER_BYTES) return { needs: bytes.length + 1 };
    return { start, end: start + VERSION.length, flaw: "malformed-record", detail: "a header without an end" };
  }
  const headers = parseHeaders(bytes.toString("utf8", start, head.text));
  const length = Number(headers.get("content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length) || length < 0)
    return {
      start,
      end: head.body,
      flaw: "malformed-record",
      detail: `Content-Length is ${JSON.stringify(headers.get("content-length") ?? null)}`,
    };
  const end = head.body + length;
  if (length > maxRecordBytes)
    return { start, end, flaw: "oversized-record", detail: `${length} bytes are more than the ${maxRecordBytes} that are read` };
  if (end > bytes.length) return { needs: end };
  // A copy: the record must not keep the whole stretch of the file alive.
  const payload = Uint8Array.from(bytes.subarray(head.body, end));
  return { start, end, record: { type: headers.get("warc-type") ?? "", headers, payload } };
}

/** Where the header block ends and the body begins: at the first empty line, by either line ending. */
function headEnd(bytes: Buffer, start: number): { text: number; body: number } | undefined {
  const limit = bytes.subarray(0, start + MAX_HEADER_BYTES);
  const strict = limit.indexOf("\r\n\r\n", start);
  const loose = limit.indexOf("\n\n", start);
  if (strict >= 0 && (loose < 0 || strict < loose)) return { text: strict, body: strict + 4 };
  return loose < 0 ? undefined : { text: loose, body: loose + 2 };
}

/** Field names in lower case; the first of repeated fields wins, folded lines are joined. The first line, the version, is passed over. */
export function parseHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  const lines = text.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

const flaw = (offset: number, reason: WarcFlaw, detail: string): WarcItem => ({ rejection: { offset, reason, detail } });
