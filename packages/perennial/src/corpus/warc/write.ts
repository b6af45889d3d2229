/** WARC 1.0 records, each a gzip member of its own, as crawlers write them. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

export interface WarcPage {
  readonly url: string;
  readonly html: string | Uint8Array;
  /** ISO 8601 to the second. */
  readonly date: string;
  readonly contentType?: string;
}

/** The gzip member of a response record. The record id is made from URL and date, so that the same page gives the same bytes. */
export function warcResponse({ url, html, date, contentType = "text/html; charset=utf-8" }: WarcPage): Uint8Array {
  const body = typeof html === "string" ? Buffer.from(html) : html;
  const http = `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return warcRecord(
    {
      "WARC-Type": "response",
      "WARC-Target-URI": url,
      "WARC-Date": date,
      "WARC-Record-ID": `<urn:uuid:${uuidOf(`${url} ${date}`)}>`,
      "WARC-Identified-Payload-Type": contentType.split(";")[0]!,
      "Content-Type": "application/http; msgtype=response",
    },
    Buffer.concat([Buffer.from(http), body]),
  );
}

/** The gzip member of any record. */
export function warcRecord(headers: Readonly<Record<string, string>>, payload: Uint8Array): Uint8Array {
  const lines = Object.entries({ ...headers, "Content-Length": String(payload.length) }).map(
    ([name, value]) => `${name}: ${value.replace(/[\r\n]+/g, " ")}\r\n`,
  );
  return gzipSync(Buffer.concat([Buffer.from(`WARC/1.0\r\n${lines.join("")}\r\n`), payload, Buffer.from("\r\n\r\n")]));
}

function uuidOf(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
