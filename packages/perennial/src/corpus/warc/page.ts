/** The page that a WARC record holds: the body of an HTTP response, or the text of a WET conversion, with what is known about it. */
import { brotliDecompressSync, gunzipSync, inflateSync, type ZlibOptions } from "node:zlib";
import { parseHeaders, type WarcRecord } from "./parser.ts";

export interface Page {
  /** `html` of a crawled page, `text` where somebody extracted it before. */
  readonly kind: "html" | "text";
  readonly id: string;
  readonly url?: string;
  /** ISO 8601. */
  readonly date?: string;
  /** As the server or the crawler's own look at the content says; parameters included. */
  readonly contentType?: string;
  readonly body: Uint8Array;
  readonly offset: number;
  readonly sizeBytes?: number;
  /** The crawler cut the page off. */
  readonly truncated: boolean;
}

/** Why a record gives no page. */
export type NoPage = "other-record-type" | "other-content-type" | "not-http" | "http-status" | "undecodable-body" | "empty-body";

const HTML = new Set(["text/html", "application/xhtml+xml"]);

/** The page, or the reason why there is none. */
export function pageOf(record: WarcRecord, maxBodyBytes: number): Page | NoPage {
  const { headers } = record;
  const common = {
    id: (headers.get("warc-record-id") ?? `offset:${record.offset}`).replace(/^<(.*)>$/, "$1"),
    ...optional("url", headers.get("warc-target-uri")?.replace(/^<(.*)>$/, "$1")),
    ...optional("date", headers.get("warc-date")),
    offset: record.offset,
    ...optional("sizeBytes", record.sizeBytes),
    truncated: headers.has("warc-truncated"),
  };
  if (record.type === "conversion") {
    const type = mediaType(headers.get("content-type"));
    if (type !== undefined && type !== "text/plain" && !HTML.has(type)) return "other-content-type";
    if (record.payload.length === 0) return "empty-body";
    return { kind: "text", ...common, ...optional("contentType", headers.get("content-type")), body: record.payload };
  }
  if (record.type !== "response") return "other-record-type";
  const http = parseHttp(record.payload);
  if (!http) return "not-http";
  if (http.status < 200 || http.status > 299) return "http-status";
  const served = http.headers.get("content-type");
  const type = mediaType(headers.get("warc-identified-payload-type") ?? served);
  if (type === undefined ? !looksLikeHtml(http.body) : !HTML.has(type)) return "other-content-type";
  const body = decodeBody(http.body, http.headers, maxBodyBytes);
  if (!body) return "undecodable-body";
  if (body.length === 0) return "empty-body";
  return { kind: "html", ...common, ...optional("contentType", served), body };
}

const optional = <K extends string, V>(key: K, value: V | undefined) =>
  value === undefined ? {} : ({ [key]: value } as { [key in K]: V });

const mediaType = (contentType: string | undefined): string | undefined =>
  (contentType ?? "").replace(/;.*$/s, "").trim().toLowerCase() || undefined;

export interface HttpResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export function parseHttp(payload: Uint8Array): HttpResponse | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const strict = bytes.indexOf("\r\n\r\n");
  const loose = bytes.indexOf("\n\n");
  const [end, gap] = strict >= 0 && (loose < 0 || strict < loose) ? [strict, 4] : [loose, 2];
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const status = /^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1];
  return status === undefined ? undefined : { status: Number(status), headers: parseHeaders(head), body: payload.subarray(end + gap) };
}

/** The body without transfer and content encodings; crawlers often store it decoded and leave the header, so that plain bytes pass. */
function decodeBody(body: Uint8Array, headers: ReadonlyMap<string, string>, maxBodyBytes: number): Uint8Array | undefined {
  const whole = headers.get("transfer-encoding")?.toLowerCase().includes("chunked") ? (dechunk(body) ?? body) : body;
  const limit: ZlibOptions = { maxOutputLength: maxBodyBytes };
  try {
    if (whole[0] === 0x1f && whole[1] === 0x8b) return gunzipSync(whole, limit);
    const encoding = headers.get("content-encoding")?.trim().toLowerCase();
    if (encoding === "deflate" && whole[0] === 0x78) return inflateSync(whole, limit);
    if (encoding === "br" && !looksLikeHtml(whole)) return brotliDecompressSync(whole, { maxOutputLength: maxBodyBytes });
  } catch {
    return undefined;
  }
  return whole;
}

function dechunk(body: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size =
      end < 0 || end - at > 1024 ? Number.NaN : Number.parseInt(/^[0-9a-f]+/i.exec(bytes.toString("latin1", at, end))?.[0] ?? "", 16);
    if (Number.isNaN(size)) return undefined;
    if (size === 0) break;
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}

function looksLikeHtml(body: Uint8Array): boolean {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 1024)).toString("latin1").toLowerCase();
  return /<(!doctype html|html|head|body|title|meta|div|p)\b/.test(start.replaceAll("\0", ""));
}
