/**
 * The members of a gzip file (RFC 1952) with their places, each on its own, so that a damaged one costs only itself: reading goes on at the
 * next place where a member begins. A stream without gzip's magic number comes out as it is.
 *
 * Small members, as crawls have them, are inflated at once; large ones (a file that was compressed as a whole) are streamed.
 */
import { constants, crc32, createInflateRaw, inflateRawSync } from "node:zlib";

/** Inflated bytes of the member (or plain bytes) at `offset`; `last` closes the member, whose size is then known. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Not compressed: `offset` is the place of these very bytes. */
  readonly plain?: true;
  readonly last: boolean;
  /** Bytes of the member in the file; on the last piece. */
  readonly sizeBytes: number;
}

/** A stretch of the file that could not be inflated. */
export interface Damage {
  readonly offset: number;
  readonly damage: string;
}

/** Compressed bytes that are held to inflate a member at once. */
const WINDOW_BYTES = 4 << 20;
const MAX_WHOLE_BYTES = 32 << 20;

/** A source that fails has given what it gave: its whole members come out before the error does. */
export async function* gzipMembers(raw: AsyncIterable<Uint8Array>): AsyncGenerator<Piece | Damage> {
  const input = new Window(raw);
  yield* membersOf(input);
  if (input.failure !== undefined) throw input.failure;
}

async function* membersOf(input: Window): AsyncGenerator<Piece | Damage> {
  if (!(await input.fill(3)) || !isMemberStart(input.bytes, 0)) {
    if (input.bytes.length > 0 && input.bytes[0] === 0x1f) yield { offset: 0, damage: "the gzip header is damaged" };
    else return yield* plain(input);
    if (!(await skipToMember(input))) return;
  }
  let damaged = false;
  while (await input.fill(18)) {
    const { offset } = input;
    const member = await inflateMember(input);
    if (typeof member === "string") {
      // Damage is told once a stretch, however many places in it look like the beginning of a member.
      if (!damaged) yield { offset, damage: member };
      damaged = true;
      input.drop(1);
      if (!(await skipToMember(input))) return;
    } else {
      damaged = false;
      yield* member;
      while ((await input.fill(1)) && input.bytes[0] === 0) input.drop(1); // padding
      if ((await input.fill(3)) && !isMemberStart(input.bytes, 0)) {
        yield { offset: input.offset, damage: "no gzip member begins here" };
        if (!(await skipToMember(input))) return;
      }
    }
  }
  if (input.bytes.length > 0) yield { offset: input.offset, damage: "the file ends inside a gzip header" };
}

async function* plain(input: Window): AsyncGenerator<Piece> {
  for (;;) {
    const { offset, bytes } = input;
    if (bytes.length > 0) yield { offset, bytes, plain: true, last: false, sizeBytes: 0 };
    input.drop(bytes.length);
    if (!(await input.fill(1))) return;
  }
}

/** The member at the beginning of the window, consumed; or what is wrong with it, with nothing consumed. */
async function inflateMember(input: Window): Promise<AsyncIterable<Piece | Damage> | Iterable<Piece> | string> {
  const { offset } = input;
  for (let want = 1 << 18; ; want *= 4) {
    const more = await input.fill(want);
    const header = headerBytes(input.bytes);
    if (header === undefined) {
      if (more && want < WINDOW_BYTES) continue;
      return "a gzip header has no end";
    }
    const ended = inflateWhole(input.bytes.subarray(header));
    if (ended === "needs-more" && more && want < WINDOW_BYTES) continue;
    if (ended === "needs-more" && !more) return "the file ends inside a gzip member";
    if (ended === "needs-more" || ended === "too-large") return streamMember(input, header);
    if (typeof ended === "string") return ended;
    const trailer = header + ended.consumed;
    if (!(await input.fill(trailer + 8))) return "the file ends inside a gzip member";
    if (readUint32(input.bytes, trailer) !== crc32(ended.bytes)) return "a gzip member has another checksum";
    input.drop(trailer + 8);
    return [{ offset, bytes: ended.bytes, last: true, sizeBytes: trailer + 8 }];
  }
}

function inflateWhole(bytes: Uint8Array): { bytes: Uint8Array; consumed: number } | "needs-more" | "too-large" | string {
  try {
    const options = { info: true, maxOutputLength: MAX_WHOLE_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
    const { buffer, engine } = inflateRawSync(bytes, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    // With a sync flush an unfinished stream is no error; a finished one leaves input over (a trailer follows in any case).
    return engine.bytesWritten < bytes.length ? { bytes: buffer, consumed: engine.bytesWritten } : "needs-more";
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : `a gzip member does not inflate: ${message}`;
  }
}

/** A large member, streamed; its checksum is compared at the end, when its bytes have been handed on already. */
async function* streamMember(input: Window, header: number): AsyncGenerator<Piece | Damage> {
  const { offset } = input;
  const stream = createInflateRaw();
  let ready: Buffer[] = [];
  let failure: Error | undefined;
  let ended = false;
  const settled = new Promise<void>((resolve) => {
    stream.on("data", (bytes: Buffer) => void ready.push(bytes));
    stream.on("end", () => {
      ended = true;
      resolve();
    });
    stream.on("error", (error) => {
      failure = error;
      resolve();
    });
  });
  let checksum = 0;
  input.drop(header);
  const start = input.offset;
  let fed = 0;
  try {
    while (!ended && !failure) {
      if (!(await input.fill(1))) {
        yield { offset, damage: "the file ends inside a gzip member" };
        return;
      }
      const chunk = input.bytes;
      fed += chunk.length;
      await Promise.race([settled, new Promise<void>((resolve) => stream.write(chunk, () => resolve()))]);
      await new Promise(setImmediate); // lets data and end through
      const consumed = stream.bytesWritten;
      for (const bytes of ready) {
        checksum = crc32(bytes, checksum);
        yield { offset, bytes, last: false, sizeBytes: 0 };
      }
      ready = [];
      if (consumed < fed) {
        await Promise.race([settled, new Promise(setImmediate)]);
        input.drop(consumed - (input.offset - start));
        break;
      }
      input.drop(chunk.length);
    }
    if (failure) {
      yield { offset, damage: `a gzip member does not inflate: ${failure.message}` };
      return;
    }
    if (!(await input.fill(8)) || readUint32(input.bytes, 0) !== checksum) {
      yield { offset, damage: "a gzip member has another checksum" };
      return;
    }
    input.drop(8);
    yield { offset, bytes: new Uint8Array(0), last: true, sizeBytes: input.offset - offset };
  } finally {
    stream.destroy();
  }
}

/** Drops bytes up to the next place that looks like the beginning of a member; false at the end of the file. */
async function skipToMember(input: Window): Promise<boolean> {
  while (await input.fill(4)) {
    for (let at = 0; at + 3 < input.bytes.length; at++) {
      if (!isMemberStart(input.bytes, at)) continue;
      input.drop(at);
      return true;
    }
    input.drop(input.bytes.length - 3);
  }
  input.drop(input.bytes.length);
  return false;
}

/** Magic number, method 8, no reserved flags. */
const isMemberStart = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && (bytes[at + 3] ?? 0) < 0x20;

const readUint32 = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);

/** The length of the header at the beginning of `bytes`; undefined while it is not whole. */
function headerBytes(bytes: Uint8Array): number | undefined {
  const flags = bytes[3]!;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at]! | (bytes[at + 1]! << 8));
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if (flags & 2) at += 2;
  return at < bytes.length ? at : undefined;
}

/** The bytes of a stream that have been read and not yet dropped. */
class Window {
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** Place of `bytes` in the stream. */
  offset = 0;
  /** Why the source ended early. */
  failure: unknown;
  private readonly source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** Reads until there are `count` bytes; false when the stream has fewer. */
  async fill(count: number): Promise<boolean> {
    if (this.bytes.length >= count) return true;
    const parts = [this.bytes];
    let total = this.bytes.length;
    while (total < count) {
      const { value, done } = await this.next();
      if (done) break;
      parts.push(value);
      total += value.length;
    }
    if (parts.length > 1) this.bytes = parts.length === 2 && parts[0]!.length === 0 ? parts[1]! : Buffer.concat(parts);
    return total >= count;
  }

  private async next(): Promise<IteratorResult<Uint8Array, unknown>> {
    if (this.failure !== undefined) return { value: undefined, done: true };
    try {
      return await this.source.next();
    } catch (error) {
      this.failure = error;
      return { value: undefined, done: true };
    }
  }

  drop(count: number): void {
    this.bytes = this.bytes.subarray(count);
    this.offset += count;
  }
}
