import { createGunzip } from "node:zlib";
import { Decompress } from "fzstd";
import { PerennialError } from "../../errors.ts";
import { type ByteOptions, isAddress, readBytes } from "./bytes.ts";
import type { InputFile } from "./inputs.ts";

/** A compressed stream that ends early or does not decode. Everything before the damage has been handed out. */
export class DamagedFile extends PerennialError {}

/**
 * The bytes of a file, decompressed, in chunks that the reader may keep. Gzip files may have several members and zstd files several
 * frames. Throws a PerennialError `INPUT_UNREADABLE` where the file cannot be opened or read, `DamagedFile` where it does not decode.
 */
export async function* readChunks(file: InputFile, { onBytes, bytes }: ChunkOptions = {}): AsyncGenerator<Uint8Array> {
  const raw = counted(readBytes(file.path, bytes), onBytes);
  if (file.compression === "none") yield* raw;
  else yield* file.compression === "gzip" ? gunzip(raw, file) : unzstd(raw, file);
}

export interface ChunkOptions {
  /** Told how many bytes of the file, as it lies there, have been read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** How addresses are read. */
  readonly bytes?: ByteOptions | undefined;
}

async function* counted(raw: AsyncIterable<Uint8Array>, onBytes?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const bytes of raw) {
    onBytes?.(bytes.length);
    yield bytes;
  }
}

async function* gunzip(raw: AsyncGenerator<Uint8Array>, file: InputFile): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  let ready: Uint8Array[] = [];
  let failure: Error | undefined;
  let fed = 0;
  const ended = new Promise<void>((resolve) => {
    stream.on("data", (bytes: Buffer) => ready.push(bytes));
    stream.on("end", resolve);
    stream.on("error", (error) => {
      failure = error;
      resolve();
    });
  });
  const flush = function* () {
    const bytes = ready;
    ready = [];
    yield* bytes;
    if (failure !== undefined) throw damaged(file, fed, failure);
  };
  try {
    for await (const bytes of raw) {
      // A server that names gzip as the encoding of its answer has it inflated on the way.
      if (fed === 0 && isAddress(file.path) && bytes[0] !== 0x1f) {
        yield bytes;
        return yield* raw;
      }
      fed += bytes.length;
      await Promise.race([ended, new Promise<void>((resolve) => stream.write(bytes, () => resolve()))]);
      yield* flush();
    }
    if (fed === 0) return;
    stream.end();
    await ended;
    yield* flush();
  } finally {
    stream.destroy();
  }
}

/** fzstd, because node:zlib has zstd only from 22.15 on and stops in silence after the first frame of a file (seen in 24.21). */
async function* unzstd(raw: AsyncIterable<Uint8Array>, file: InputFile): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  let failure: Error | undefined;
  let fed = 0;
  const decoder = new Decompress((bytes) => {
    if (bytes.length > 0) ready.push(bytes);
  });
  const push = function* (bytes: Uint8Array, final: boolean) {
    try {
      decoder.push(bytes, final);
    } catch (error) {
      failure = error as Error;
    }
    const out = ready;
    ready = [];
    yield* out;
    if (failure !== undefined) throw damaged(file, fed, failure);
  };
  for await (const bytes of raw) {
    fed += bytes.length;
    yield* push(bytes, false);
  }
  if (fed > 0) yield* push(new Uint8Array(0), true);
}

function damaged(file: InputFile, fed: number, cause: Error): DamagedFile {
  const detail = `${file.compression} data is damaged within the first ${fed} bytes: ${cause.message}`;
  return new DamagedFile("INPUT_DAMAGED", detail, { cause });
}
