/**
 * The raw bytes of a file or of an HTTP(S) address, in order, from an offset on. A connection that breaks is opened again where it broke
 * off, by a range request; a server that then sends something else, or no ranges, is an error. `s3://bucket/key` stands for the public
 * address of the bucket.
 */
import { open } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { PerennialError } from "../../errors.ts";

const CHUNK_BYTES = 1 << 18;

export interface ByteOptions {
  /** Bytes to leave out at the beginning. */
  readonly from?: number;
  /** How often in a row a connection may break without a byte between. */
  readonly maxRetries?: number;
  /** Wait before the first new try; doubles each time. */
  readonly retrySeconds?: number;
  readonly fetch?: typeof globalThis.fetch;
}

export const isAddress = (location: string): boolean => /^(https?|s3):\/\//.test(location);

export function readBytes(location: string, options: ByteOptions = {}): AsyncGenerator<Uint8Array> {
  return isAddress(location) ? readAddress(publicAddress(location), options) : readFile(location, options);
}

export function publicAddress(location: string): string {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
  return bucket === undefined ? location : `https://${bucket}.s3.amazonaws.com/${key}`;
}

async function* readFile(path: string, { from = 0 }: ByteOptions): AsyncGenerator<Uint8Array> {
  const failed = (cause: Error) => {
    throw new PerennialError("INPUT_UNREADABLE", `${path}: cannot be read: ${cause.message}.`, { cause });
  };
  const handle = await open(path, "r").catch(failed);
  try {
    for (let position = from; ; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, position).catch(failed);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* readAddress(address: string, options: ByteOptions): AsyncGenerator<Uint8Array> {
  const { from = 0, maxRetries = 5, retrySeconds = 1, fetch = globalThis.fetch } = options;
  let position = from;
  let entityTag: string | null = null;
  for (let failures = 0; ; ) {
    let broken: Error;
    try {
      const headers: Record<string, string> = position > 0 ? { range: `bytes=${position}-` } : {};
      const response = await fetch(address, { headers });
      if (response.status === 416) return; // nothing behind the offset
      if (!response.ok) throw new HttpStatus(address, response.status);
      if (position > 0 && response.status !== 206)
        throw new PerennialError(
          "INPUT_UNREADABLE",
          `${address}: the connection broke at byte ${position} and the server gives no ranges.`,
        );
      const tag = response.headers.get("etag");
      if (entityTag !== null && tag !== entityTag)
        throw new PerennialError("INPUT_UNREADABLE", `${address}: the file changed while it was read.`);
      entityTag = tag;
      const announced = Number(response.headers.get("content-length") ?? Number.NaN) + position;
      for await (const bytes of response.body ?? []) {
        failures = 0;
        position += bytes.length;
        yield bytes;
      }
      if (Number.isNaN(announced) || position >= announced || response.headers.has("content-encoding")) return;
      broken = new Error(`the connection closed at byte ${position} of ${announced}`);
    } catch (error) {
      if (error instanceof PerennialError && !(error instanceof HttpStatus && error.passing)) throw error;
      broken = error as Error;
    }
    if (++failures > maxRetries)
      throw new PerennialError("INPUT_UNREADABLE", `${address}: given up after ${failures} tries: ${broken.message}.`, { cause: broken });
    await pause(1000 * retrySeconds * 2 ** (failures - 1));
  }
}

class HttpStatus extends PerennialError {
  /** Too many requests and server errors may pass, others do not. */
  readonly passing: boolean;

  constructor(address: string, status: number) {
    super("INPUT_UNREADABLE", `${address}: the server answered ${status}.`);
    this.passing = status === 429 || status >= 500;
  }
}
