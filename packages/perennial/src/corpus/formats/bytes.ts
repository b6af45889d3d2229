/**
 * The raw bytes of a file or of an address (http, https, s3): in order from an offset on, or by ranges. A connection that breaks is opened
 * again where it broke off, by a range request for the same version (If-Range: its ETag, else its date); a file that changed meanwhile, or a
 * server without ranges, is an error that names the address.
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
  return (await describe(location, options)).byteLength;
}

/** Size and version; an address that may only be read (a signed one, say) is asked for its first byte. */
async function describe(location: string, options: ByteOptions): Promise<{ byteLength: number; version: string | undefined }> {
  const response = await request(location, { method: "HEAD" }, options).catch((error: unknown) => {
    if (!(error instanceof HttpStatus && [403, 405, 501].includes(error.status))) throw error;
    return request(location, { headers: { range: "bytes=0-0" } }, options);
  });
  await response.body?.cancel();
  const [, ofRange] = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  const length = ofRange ?? response.headers.get("content-length");
  if (length === null) throw new PerennialError("INPUT_UNREADABLE", `${location}: the server does not tell its size.`);
  return { byteLength: Number(length), version: versionOf(response) };
}

export async function openBytes(location: string, options: ByteOptions = {}): Promise<RandomBytes> {
  if (isAddress(location)) return openAddress(location, options);
  const byteLength = await sizeOf(location, options);
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

async function openAddress(location: string, options: ByteOptions): Promise<RandomBytes> {
  const { byteLength, version } = await describe(location, options);
  const readOnce = async (start: number, end: number) => {
    const response = await requestOnce(location, { headers: { range: `bytes=${start}-${end - 1}` } }, options);
    const problem = response.status === 206 || changed(version, response) ? rangeProblem(version, response, start) : NO_RANGES;
    if (problem !== undefined) return refuse(location, response, problem);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== end - start) throw new Error(`${bytes.length} bytes came of a range of ${end - start}`);
    return bytes;
  };
  return {
    byteLength,
    read: (start, end) => (end <= start ? Promise.resolve(new Uint8Array(0)) : tried(location, options, () => readOnce(start, end))),
    close: async () => {},
  };
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of an s3 address: what stands behind the question mark. */
  readonly query?: string;
}

/** One answer of a server, after as many tries as allowed. */
export const request = (location: string, what: RequestOptions, options: ByteOptions): Promise<Response> =>
  tried(location, options, () => requestOnce(location, what, options));

async function tried<T>(location: string, options: ByteOptions, act: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await act();
    } catch (error) {
      if (!mayPass(error)) throw error;
      await again(location, ++failures, error as Error, options);
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
  const signed = credentials
    ? signRequest({ method, address, headers, credentials, region: s3Region(s3, process.env), now: new Date() })
    : headers;
  // As the bytes lie there: places in what a server compressed on the way would be none of the file.
  const response = await fetch(address, { method, headers: { ...signed, "accept-encoding": "identity" } });
  if (!response.ok && response.status !== 416) {
    await response.body?.cancel();
    throw new HttpStatus(location, response);
  }
  return response;
}

/** Too many requests, server errors and broken connections may pass; other answers do not. */
const mayPass = (error: unknown): boolean => !(error instanceof PerennialError) || (error instanceof HttpStatus && error.passing);

async function again(location: string, failures: number, cause: Error, { maxRetries = 5, retrySeconds = 1 }: ByteOptions) {
  if (failures > maxRetries)
    throw new PerennialError("INPUT_UNREADABLE", `${location}: given up after ${failures} tries: ${causes(cause)}.`, { cause });
  const asked = cause instanceof HttpStatus ? cause.retryAfterSeconds : 0;
  await pause(1000 * Math.max(asked, retrySeconds * 2 ** (failures - 1)));
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
  const { from = 0 } = options;
  let position = from;
  let version: string | undefined;
  let total: number | undefined;
  let encoded = false;
  for (let failures = 0; ; ) {
    let broken: Error;
    try {
      const range: Record<string, string> = position > 0 ? { range: `bytes=${position}-` } : {};
      if (position > 0 && version !== undefined && !version.startsWith("W/")) range["if-range"] = version;
      const response = await requestOnce(location, { headers: range }, options);
      if (response.status === 416) {
        await response.body?.cancel();
        if (total === undefined || total === position) return; // nothing behind the offset
        throw new PerennialError("INPUT_UNREADABLE", `${location}: ${CHANGED}`);
      }
      const problem = position === 0 && !changed(version, response) ? undefined : rangeProblem(version, response, position);
      if (problem !== undefined) await refuse(location, response, problem);
      version = versionOf(response);
      total = response.headers.has("content-length") ? Number(response.headers.get("content-length")) + position : undefined;
      // A server may compress all the same. Then its bytes have other places, and the length is that of the compressed.
      encoded = response.headers.has("content-encoding");
      for await (const bytes of response.body ?? []) {
        failures = 0;
        position += bytes.length;
        yield bytes;
      }
      if (encoded || total === undefined || position >= total) return;
      broken = new Error(`the connection closed at byte ${position} of ${total}`);
    } catch (error) {
      if (!mayPass(error)) throw error;
      broken = error as Error;
    }
    if (encoded && position > from)
      throw new PerennialError(
        "INPUT_UNREADABLE",
        `${location}: the connection broke, and what the server compressed on the way has no ranges.`,
      );
    await again(location, ++failures, broken, options);
  }
}

const NO_RANGES = "the server gives no ranges.";
const CHANGED = "the file changed while it was read.";

/** What tells one state of a file from another. */
const versionOf = ({ headers }: Response): string | undefined => headers.get("etag") ?? headers.get("last-modified") ?? undefined;

const changed = (version: string | undefined, response: Response): boolean => version !== undefined && versionOf(response) !== version;

/** Why an answer is not the rest of `version` from byte `position` on. */
function rangeProblem(version: string | undefined, response: Response, position: number): string | undefined {
  if (changed(version, response)) return CHANGED;
  if (response.status !== 206) return `the connection broke at byte ${position} and ${NO_RANGES}`;
  const [, start] = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "") ?? [];
  return start === undefined || Number(start) === position
    ? undefined
    : `byte ${position} was asked for, the server sent byte ${start} on.`;
}

async function refuse(location: string, response: Response, problem: string): Promise<never> {
  await response.body?.cancel();
  throw new PerennialError("INPUT_UNREADABLE", `${location}: ${problem}`);
}

/** A server that asks for a longer pause than this has to be asked again another day. */
const MAX_RETRY_AFTER_SECONDS = 120;

class HttpStatus extends PerennialError {
  readonly status: number;
  readonly passing: boolean;
  readonly retryAfterSeconds: number;

  constructor(location: string, { status, headers, redirected, url }: Response) {
    const region = headers.get("x-amz-bucket-region");
    const where = redirected ? ` at ${url}` : status === 301 && region !== null ? `: the bucket lies in the region ${region}` : "";
    super("INPUT_UNREADABLE", `${location}: the server answered ${status}${where}.`);
    this.status = status;
    this.passing = status === 429 || status >= 500;
    this.retryAfterSeconds = Math.min(MAX_RETRY_AFTER_SECONDS, Number(headers.get("retry-after")) || 0);
  }
}
