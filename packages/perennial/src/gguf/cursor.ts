/** Reads a file from its beginning to wherever its own numbers say, and never a byte beyond its end. */
import { readSync } from "node:fs";
import { FieldError } from "../errors.ts";

const WINDOW_BYTES = 1 << 20;
/** Longest string: the `tokenizer.json` of a vocabulary of 2¹⁸ tokens has 35 MB. */
const MAX_STRING_BYTES = 1 << 28;
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

export class Cursor {
  /** Where the next byte is read. */
  offset = 0;
  readonly path: string;
  readonly fileBytes: number;
  private readonly file: number;
  /** Bytes of the file from `windowStart` on. */
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  constructor(path: string, file: number, fileBytes: number) {
    this.path = path;
    this.file = file;
    this.fileBytes = fileBytes;
  }

  get left(): number {
    return this.fileBytes - this.offset;
  }

  wrong(what: string, expected: string, received?: unknown, todo?: string): FieldError {
    return new FieldError("GGUF", {
      at: `${this.path} (byte ${this.offset}) ${what}`,
      expected,
      ...(received === undefined ? {} : { received }),
      ...(todo === undefined ? {} : { todo }),
    });
  }

  uint8(what: string): number {
    const at = this.take(1, what);
    return this.window[at]!;
  }

  uint32(what: string): number {
    const at = this.take(4, what);
    return this.window.readUInt32LE(at);
  }

  /** A size, a count or an offset, at most `limit`. */
  uint64(what: string, limit: number): number {
    const start = this.offset;
    const at = this.take(8, what);
    const value = this.window.readBigUInt64LE(at);
    if (value <= BigInt(limit)) return Number(value);
    this.offset = start;
    throw this.wrong(what, `at most ${limit}`, value, "the file is damaged; fetch it again");
  }

  /** `limit` in bytes. A name must be UTF-8; in other texts what is no UTF-8 is read as U+FFFD. */
  string(what: string, { limit = MAX_STRING_BYTES, name = false } = {}): string {
    const length = this.uint64(`length of ${what}`, Math.min(limit, Math.max(0, this.left - 8)));
    const bytes = this.bytes(length, what);
    if (!name) return lenient.decode(bytes);
    try {
      return strict.decode(bytes);
    } catch {
      throw this.wrong(what, "UTF-8");
    }
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number, what: string): Uint8Array<ArrayBuffer> {
    this.demand(length, what);
    const copy = new Uint8Array(length);
    if (length <= WINDOW_BYTES) {
      const start = this.take(length, what);
      copy.set(this.window.subarray(start, start + length));
    } else {
      readExactly(this.file, copy, this.offset, this.path);
      this.offset += length;
    }
    return copy;
  }

  /** Makes the next `length` bytes, at most WINDOW_BYTES, stand in the window, which may be another one then; returns where in it. */
  private take(length: number, what: string): number {
    this.demand(length, what);
    const end = this.windowStart + this.window.length;
    if (this.offset < this.windowStart || this.offset + length > end) {
      this.window = Buffer.alloc(Math.min(WINDOW_BYTES, this.left));
      readExactly(this.file, this.window, this.offset, this.path);
      this.windowStart = this.offset;
    }
    const start = this.offset - this.windowStart;
    this.offset += length;
    return start;
  }

  private demand(length: number, what: string): void {
    if (length > this.left) throw this.wrong(what, `${length} more bytes`, this.left, "the file is cut short; fetch it again");
  }
}

/** Fills `target` from byte `position` on; an error where the file ends before. */
export function readExactly(file: number, target: Uint8Array, position: number, path: string): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(file, target, done, target.length - done, position + done);
    if (count === 0)
      throw new FieldError("GGUF", {
        at: `${path} (byte ${position + done})`,
        expected: "more bytes",
        todo: "the file became shorter while it was read",
      });
    done += count;
  }
}
