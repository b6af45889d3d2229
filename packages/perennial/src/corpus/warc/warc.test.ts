import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { pageOf } from "./page.ts";
import type { WarcItem, WarcRecord } from "./parser.ts";
import { parseWarcBytes, readWarc } from "./read.ts";
import { warcRecord, warcResponse } from "./write.ts";

const folder = mkdtempSync(join(tmpdir(), "warc-"));
const servers: Server[] = [];
afterAll(() => {
  rmSync(folder, { recursive: true });
  for (const server of servers) server.close();
});

const page = (i: number, html = `<html><body><p>Page ${i}: ${"text ".repeat(i % 7)}</p></body></html>`) =>
  warcResponse({ url: `https://example.org/${i}`, html, date: "2026-11-24T00:00:00Z" });
const info = warcRecord({ "WARC-Type": "warcinfo", "Content-Type": "application/warc-fields" }, Buffer.from("software: test\r\n"));
const pages = Array.from({ length: 20 }, (_, i) => page(i));
const crawl = Buffer.concat([info, ...pages]);

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function items(bytes: Uint8Array, size?: number, maxRecordBytes?: number) {
  const found: WarcItem[] = [];
  for await (const item of parseWarcBytes(chunks(bytes, size), maxRecordBytes)) found.push(item);
  const records = found.flatMap((item) => ("record" in item ? [item.record] : []));
  const rejections = found.flatMap((item) => ("rejection" in item ? [item.rejection] : []));
  return { records, rejections, urls: records.flatMap((record) => record.headers.get("warc-target-uri") ?? []) };
}
const urls = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `https://example.org/${i + from}`);

test.each([1, 7, 1000, 1 << 20])("records come out whole, with the place of their members, read %i bytes at a time", async (size) => {
  const { records, rejections } = await items(crawl, size);
  expect(rejections).toEqual([]);
  expect(records).toHaveLength(21);
  let offset = info.length;
  for (const [i, record] of records.slice(1).entries()) {
    expect(record).toMatchObject({ type: "response", offset, sizeBytes: pages[i]!.length });
    const single = await items(crawl.subarray(record.offset, record.offset + record.sizeBytes!));
    expect(single.records[0]!.payload).toEqual(record.payload);
    offset += pages[i]!.length;
  }
});

test.each([
  ["uncompressed", gunzipSync(crawl)],
  ["compressed as a whole", gzipSync(gunzipSync(crawl))],
  ["cut into members anywhere", Buffer.concat([...slices(gunzipSync(crawl), 333)].map((part) => gzipSync(part)))],
])("%s files give the same records", async (_, bytes) => {
  const { records, rejections } = await items(bytes);
  expect(rejections).toEqual([]);
  const expected = await items(crawl);
  expect(records.map(({ payload }) => payload)).toEqual(expected.records.map(({ payload }) => payload));
});
function* slices(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("in an uncompressed file the place of a record is exact", async () => {
  const bytes = gunzipSync(crawl);
  const { records } = await items(bytes);
  for (const { offset } of records) expect(bytes.toString("latin1", offset, offset + 8)).toBe("WARC/1.0");
});

test("large members are streamed and checked", async () => {
  const large = page(1, `<p>${Array.from({ length: 600_000 }, (_, i) => (i * 2654435761) >>> 0).join(" ")}</p>`);
  const bytes = Buffer.concat([page(0), large, page(2)]);
  const whole = gzipSync(gunzipSync(bytes), { level: 1 });
  expect(large.length).toBeGreaterThan(2 << 20);
  for (const file of [bytes, whole]) {
    const { urls: found, rejections } = await items(file, 1 << 18);
    expect(rejections).toEqual([]);
    expect(found).toEqual(urls(0, 3));
  }
  const torn = Buffer.from(whole);
  torn.writeUInt32LE(1, torn.length - 8);
  expect((await items(torn, 1 << 18)).rejections).toMatchObject(
    [{ reason: "damaged-member", detail: /checksum/ }].map(() => ({ reason: "damaged-member" })),
  );
});

test("a damaged member costs itself only, and is counted once", async () => {
  const bytes = Buffer.from(crawl);
  const start = info.length + pages.slice(0, 5).reduce((sum, { length }) => sum + length, 0);
  bytes.fill(0x55, start + 30, start + 60);
  const { urls: found, rejections } = await items(bytes);
  expect(found).toEqual([...urls(0, 5), ...urls(6, 20)]);
  expect(rejections).toMatchObject([{ offset: start, reason: "damaged-member" }]);
});

test("a flipped bit that still inflates is seen by the checksum", async () => {
  const plain = gzipSync(gunzipSync(page(0)), { level: 0 });
  const bytes = Buffer.concat([plain, page(1)]);
  bytes[200]! ^= 1;
  const { urls: found, rejections } = await items(bytes);
  expect(found).toEqual(urls(1, 2));
  expect(rejections).toMatchObject([{ offset: 0, reason: "damaged-member" }]);
});

test("a truncated file gives all whole records and one rejection", async () => {
  const { urls: found, rejections } = await items(crawl.subarray(0, crawl.length - 40));
  expect(found).toEqual(urls(0, 19));
  expect(rejections).toMatchObject([{ reason: "damaged-member" }]);
  const plain = gunzipSync(crawl);
  const cut = await items(plain.subarray(0, plain.length - 40));
  expect(cut.urls).toEqual(urls(0, 19));
  expect(cut.rejections).toMatchObject([{ reason: "truncated-record" }]);
});

test("malformed records are passed over", async () => {
  const record = (fields: string) => Buffer.from(`WARC/1.0\r\nWARC-Type: response\r\n${fields}\r\n\r\nbody\r\n\r\n`);
  const bytes = Buffer.concat([
    Buffer.from("garbage before\r\n"),
    gunzipSync(pages[0]!),
    record("Content-Length: many"),
    gunzipSync(pages[1]!),
    record("Content-Length: -1"),
    record("WARC-Date: none"),
    gunzipSync(pages[2]!),
  ]);
  const { urls: found, rejections } = await items(bytes);
  expect(found).toEqual(urls(0, 3));
  expect(new Set(rejections.map(({ reason }) => reason))).toEqual(new Set(["malformed-record"]));
  expect(rejections[0]!.offset).toBe(0);
});

test("records above the limit are passed over without being held", async () => {
  const { urls: found, rejections } = await items(Buffer.concat([page(0), page(1, "x".repeat(5000)), page(2)]), 100, 4000);
  expect(found).toEqual(["https://example.org/0", "https://example.org/2"]);
  expect(rejections).toMatchObject([{ offset: pages[0]!.length, reason: "oversized-record" }]);
});

test.each([[""], ["\r\n\r\n"], ["\0\0\0"], ["WARC/1.0"], ["WARC/1.0\r\n\r\n"], ["\x1f\x8b\x08\x00"]])(
  "%j is no record and no crash",
  async (text) => {
    const { records } = await items(Buffer.from(text, "latin1"));
    expect(records).toEqual([]);
  },
);

test("10,000 damaged variants: every record that comes out was put in, and the reader never fails", async () => {
  const random = stream(5, "warc-fuzz");
  const small = Buffer.concat([info, ...pages.slice(0, 4)]);
  const plain = gunzipSync(small);
  const known = new Set((await items(small)).records.map(({ payload }) => Buffer.from(payload).toString("latin1")));
  let rejections = 0;
  for (let variant = 0; variant < 10_000; variant++) {
    const compressed = random.integer(2) === 0;
    let bytes = Buffer.from(compressed ? small : plain);
    if (random.integer(4) === 0) bytes = bytes.subarray(0, random.integer(bytes.length));
    for (let i = random.integer(4); i > 0 && bytes.length > 0; i--) bytes[random.integer(bytes.length)] = random.integer(256);
    if (random.integer(8) === 0)
      bytes = Buffer.concat([bytes.subarray(0, random.integer(bytes.length + 1)), bytes.subarray(random.integer(bytes.length + 1))]);
    const found = await items(bytes, 1 + random.integer(4000));
    rejections += found.rejections.length;
    // Members carry checksums: what comes out of them whole is what went in.
    if (compressed && bytes.length === small.length)
      for (const { payload, sizeBytes } of found.records)
        if (sizeBytes !== undefined) expect(known).toContain(Buffer.from(payload).toString("latin1"));
  }
  expect(rejections).toBeGreaterThan(3000);
});

const record = (type: string, headers: Record<string, string>, payload: string | Uint8Array): WarcRecord => ({
  type,
  headers: new Map(Object.entries(headers)),
  payload: Buffer.from(payload),
  offset: 7,
});

test("pages: HTML responses and conversions; everything else says why not", () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n";
  const html = "<html><body>x</body></html>";
  const body = (payload: string | Uint8Array, headers = {}) => {
    const found = pageOf(record("response", headers, payload), 1000);
    return typeof found === "string" ? found : Buffer.from(found.body).toString();
  };
  expect(body(`${ok}\r\n${html}`)).toBe(html);
  expect(body(`HTTP/1.1 200\n\n${html}`)).toBe(html);
  expect(body(`${ok}Transfer-Encoding: chunked\r\n\r\n5;x\r\n<html\r\n2\r\n>x\r\n0\r\n\r\n`)).toBe("<html>x");
  expect(body(`${ok}Transfer-Encoding: chunked\r\n\r\n${html}`)).toBe(html);
  expect(body(Buffer.concat([Buffer.from(`${ok}Content-Encoding: gzip\r\n\r\n`), gzipSync(html)]))).toBe(html);
  expect(body(Buffer.concat([Buffer.from(`${ok}\r\n`), gzipSync("x".repeat(2000))]))).toBe("undecodable-body");
  expect(body("HTTP/1.1 404 Not Found\r\n\r\n<html>")).toBe("http-status");
  expect(body("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n<html>")).toBe("other-content-type");
  expect(body(`${ok}\r\n${html}`, { "warc-identified-payload-type": "application/pdf" })).toBe("other-content-type");
  expect(body("no http")).toBe("not-http");
  expect(body(`${ok}\r\n`)).toBe("empty-body");
  expect(pageOf(record("request", {}, ""), 1000)).toBe("other-record-type");
  const wet = {
    "content-type": "text/plain",
    "warc-target-uri": "https://example.org/",
    "warc-record-id": "<urn:uuid:1>",
    "warc-date": "2026-01-01T00:00:00Z",
  };
  expect(pageOf(record("conversion", wet, "text"), 1000)).toMatchObject({
    kind: "text",
    id: "urn:uuid:1",
    url: "https://example.org/",
    offset: 7,
  });
});

async function serve(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler!);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/crawl.warc.gz`;
}

test("a broken download goes on where it broke", async () => {
  const ranges: (string | undefined)[] = [];
  const address = await serve((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": crawl.length - from, etag: '"1"' });
    if (ranges.length < 3) response.write(crawl.subarray(from, from + 2000), () => setTimeout(() => response.destroy(), 20));
    else response.end(crawl.subarray(from));
  });
  const found: string[] = [];
  for await (const item of readWarc(address, { retrySeconds: 0.01 }))
    if ("record" in item) found.push(item.record.headers.get("warc-target-uri") ?? "");
  expect(found.slice(1)).toEqual(urls(0, 20));
  expect(ranges.length).toBe(3);
  expect(ranges[0]).toBeUndefined();
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
});

test("files are read from the disk", async () => {
  const path = join(folder, "crawl.warc.gz");
  writeFileSync(path, crawl);
  let count = 0;
  for await (const item of readWarc(path)) if ("record" in item) count++;
  expect(count).toBe(21);
});
