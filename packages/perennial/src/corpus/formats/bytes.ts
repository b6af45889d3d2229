/**
 * The raw bytes of a file or of an address (http, https, s3): in order from an offset on, or by ranges. A connection that breaks is opened
 * again where it broke off, by a range request; a server that then sends something else, or no ranges, is an error.
 */
import { open, stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { PerennialError } from "../../errors.ts";
import { type S3Settings, s3Address, s3Credentials, s3Region, signRequest } from "./s3.ts";

const CHUNK_BYTES = 1 << 18;

export interface ByteOptions {
  /** Bytes to leave out at the beginning. */
  readonly from?: number;
  /** How often in a row a connection may break without a byte between. */
  readonly maxRetries?: number;
  /** Wait before the first new try; doubles each time. */
  readonly retrySeconds?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly s3?: S3Settings;
}

/** Bytes that can be read from anywhere. */
export interface RandomBytes {
  readonly byteLength: number;
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export const isAddress = (location: string): boolean => /^(https?|s3):\/\//.test(location);

export function readBytes(location: string, options: ByteOptions = {}): AsyncGenerator<Uint8Array> {
  return isAddress(location) ? readAddress(location, options) : readFile(location, options);
}

export async function sizeOf(location: string, options: ByteOptions = {}): Promise<number> {
  if (!isAddress(location)) return (await stat(location).catch((cause: Error) => unreadable(location, cause))).size;
  const { headers } = await request(location, { method: "HEAD" }, options);
  const length = headers.get("content-length");
  if (length === null) throw new PerennialError("INPUT_UNREADABLE", `${location}: the server does not tell its size.`);
  return Number(length);
}

export async function openBytes(location: string, options: ByteOptions = {}): Promise<RandomBytes> {
  const byteLength = await sizeOf(location, options);
  if (isAddress(location))
    return {
      byteLength,
      read: async (start, end) => {
        if (end <= start) return new Uint8Array(0);
        const response = await request(location, { headers: { range: `bytes=${start}-${end - 1}` } }, options);
        if (response.status !== 206) throw new PerennialError("INPUT_UNREADABLE", `${location}: the server gives no ranges.`);
        return new Uint8Array(await response.arrayBuffer());
      },
      close: async () => {},
    };
  const handle = await open(location, "r").catch((cause: Error) => unreadable(location, cause));
  return {
    byteLength,
    read: async (start, end) => {
      const bytes = new Uint8Array(Math.max(0, end - start));
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`the file ends at byte ${start + filled}, ${end} was expected`);
        filled += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of an s3 address: what stands behind the question mark. */
  readonly query?: string;
}

/** One answer of a server, after as many tries as allowed. */
export async function request(location: string, what: RequestOptions, options: ByteOptions): Promise<Response> {
  const { maxRetries = 5, retrySeconds = 1 } = options;
  for (let failures = 0; ; ) {
    try {
      return await requestOnce(location, what, options);
    } catch (error) {
      if (!mayPass(error)) throw error;
      await again(location, ++failures, error as Error, { maxRetries, retrySeconds });
    }
  }
}

async function requestOnce(
  location: string,
  { method = "GET", headers = {}, query }: RequestOptions,
  options: ByteOptions,
): Promise<Response> {
  const { fetch = globalThis.fetch, s3 = {} } = options;
  const isS3 = location.startsWith("s3:");
  const address = `${isS3 ? s3Address(location, s3) : location}${query === undefined ? "" : `?${query}`}`;
  const credentials = isS3 ? s3Credentials(s3) : undefined;
  const sent = credentials
    ? signRequest({ method, address, headers, credentials, region: s3Region(s3, process.env), now: new Date() })
    : headers;
  const response = await fetch(address, { method, headers: sent });
  if (!response.ok && response.status !== 416) {
    await response.body?.cancel();
    throw new HttpStatus(location, response.status);
  }
  return response;
}

/** Too many requests, server errors and broken connections may pass; other answers do not. */
const mayPass = (error: unknown): boolean => !(error instanceof PerennialError) || (error instanceof HttpStatus && error.passing);

async function again(location: string, failures: number, cause: Error, options: { maxRetries: number; retrySeconds: number }) {
  if (failures > options.maxRetries)
    throw new PerennialError("INPUT_UNREADABLE", `${location}: given up after ${failures} tries: ${causes(cause)}.`, { cause });
  await pause(1000 * options.retrySeconds * 2 ** (failures - 1));
}

/** `fetch failed` alone says little; the reason is below it. */
const causes = (error: Error): string =>
  error.cause instanceof Error ? `${error.message.replace(/\.$/, "")}: ${causes(error.cause)}` : error.message.replace(/\.$/, "");

const unreadable = (path: string, cause: Error): never => {
  throw new PerennialError("INPUT_UNREADABLE", `${path}: cannot be read: ${cause.message}.`, { cause });
};

async function* readFile(path: string, { from = 0 }: ByteOptions): AsyncGenerator<Uint8Array> {
  const handle = await open(path, "r").catch((cause: Error) => unreadable(path, cause));
  try {
    for (let position = from; ; ) {
      const { bytesRead, buffer } = await handle
        .read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, position)
        .catch((cause: Error) => unreadable(path, cause));
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* readAddress(location: string, options: ByteOptions): AsyncGenerator<Uint8Array> {
  const { from = 0, maxRetries = 5, retrySeconds = 1 } = options;
  let position = from;
  let entityTag: string | null = null;
  for (let failures = 0; ; ) {
    let broken: Error;
    try {
      const response = await requestOnce(location, position > 0 ? { headers: { range: `bytes=${position}-` } } : {}, options);
      if (response.status === 416) return; // nothing behind the offset
      if (position > 0 && response.status !== 206)
        throw new PerennialError(
          "INPUT_UNREADABLE",
          `${location}: the connection broke at byte ${position} and the server gives no ranges.`,
        );
      const tag = response.headers.get("etag");
      if (entityTag !== null && tag !== entityTag)
        throw new PerennialError("INPUT_UNREADABLE", `${location}: the file changed while it was read.`);
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
      if (!mayPass(error)) throw error;
      broken = error as Error;
    }
    await again(location, ++failures, broken, { maxRetries, retrySeconds });
  }
}

class HttpStatus extends PerennialError {
  readonly passing: boolean;

  constructor(location: string, status: number) {
    super("INPUT_UNREADABLE", `${location}: the server answered ${status}.`);
    this.passing = status === 429 || status >= 500;
  }
}
