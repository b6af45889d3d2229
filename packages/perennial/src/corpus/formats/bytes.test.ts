import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { Document } from "../document.ts";
import { openBytes, readBytes, sizeOf } from "./bytes.ts";
import { formatOf, type InputFile } from "./inputs.ts";
import { listObjects } from "./list-objects.ts";
import { readRecords } from "./read-documents.ts";
import { s3Address, s3Credentials, signRequest } from "./s3.ts";
import { writeParquet } from "./write-parquet.ts";

const folder = mkdtempSync(join(tmpdir(), "bytes-"));
const servers: Server[] = [];
afterAll(() => {
  rmSync(folder, { recursive: true });
  for (const server of servers) server.close();
});

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A store of files that honors ranges, as S3 and web servers do. */
function store(files: Readonly<Record<string, Uint8Array>>, seen: IncomingMessage[] = []) {
  return (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request);
    const bytes = files[new URL(request.url!, "http://x").pathname];
    if (!bytes) return void response.writeHead(404).end();
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const part = from === undefined ? bytes : bytes.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, { "content-length": part.length });
    response.end(request.method === "HEAD" ? undefined : part);
  };
}

async function textsOf(path: string, options = {}): Promise<string[]> {
  const file: InputFile = { path, sizeBytes: await sizeOf(path, options), ...formatOf(path)! };
  const texts: string[] = [];
  for await (const { records } of readRecords([file], { bytes: options }))
    for (const record of records) texts.push("document" in record ? record.document.text : record.rejection.reason);
  return texts;
}

test("JSONL and Parquet are read over HTTP; of a Parquet file only the parts that are asked for, by ranges", async () => {
  // More than the half megabyte at the end that is read for the description of the file.
  const documents: Document[] = Array.from({ length: 2000 }, (_, i) => ({
    id: String(i),
    text: `text ${i} ${Array.from({ length: 40 }, (_, k) => Math.sin(i * 40 + k)).join(" ")}`,
    provenance: { file: "f" },
    metadata: {},
    annotations: {},
  }));
  const parquet = join(folder, "a.parquet");
  await writeParquet(parquet, documents, { rowGroupRows: 400 });
  const lines = Buffer.from(documents.map((document) => `${JSON.stringify(document)}\n`).join(""));
  const seen: IncomingMessage[] = [];
  const at = await serve(store({ "/a.parquet": readFileSync(parquet), "/b.jsonl.gz": gzipSync(lines) }, seen));
  const texts = documents.map(({ text }) => text);
  expect(await textsOf(`${at}/b.jsonl.gz`)).toEqual(texts);
  seen.length = 0;
  expect(await textsOf(`${at}/a.parquet`)).toEqual(texts);
  expect(seen.filter(({ method }) => method === "GET").length).toBeGreaterThan(4);
  expect(seen.filter(({ method, headers }) => method === "GET" && headers.range === undefined)).toEqual([]);
});

test("a server without ranges is told apart; a passing error is tried again", async () => {
  const whole = await serve(
    (request, response) => void response.writeHead(200, { "content-length": 3 }).end(request.method === "HEAD" ? "" : "abc"),
  );
  await expect((await openBytes(`${whole}/a`)).read(1, 2)).rejects.toThrow(/gives no ranges/);
  let calls = 0;
  const flaky = await serve((_, response) => void response.writeHead(++calls < 3 ? 503 : 200, { "content-length": 7 }).end());
  expect(await sizeOf(`${flaky}/a`, { retrySeconds: 0.001 })).toBe(7);
  await expect(sizeOf("http://127.0.0.1:1/a", { retrySeconds: 0.001, maxRetries: 1 })).rejects.toThrow(
    /given up after 2 tries: fetch failed: /,
  );
});

/** The example of Amazon's documentation: "Authenticating Requests (AWS Signature Version 4)", GET Object. */
const example = {
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  region: "us-east-1",
  now: new Date("2013-05-24T00:00:00Z"),
};

test("requests are signed as in Amazon's examples", () => {
  const object = { ...example, method: "GET", address: "https://examplebucket.s3.amazonaws.com/test.txt", headers: { range: "bytes=0-9" } };
  expect(signRequest(object).authorization).toMatch(/Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/);
  const list = { ...example, method: "GET", address: "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J" };
  expect(signRequest(list).authorization).toMatch(/Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/);
});

test("s3 addresses: Amazon's, a region's, another store's; keys from the environment", () => {
  expect(s3Address("s3://bucket/a b/c+d.warc.gz", {}, {})).toBe("https://bucket.s3.amazonaws.com/a%20b/c%2Bd.warc.gz");
  expect(s3Address("s3://my.bucket/a", { region: "eu-west-1" }, {})).toBe("https://s3.eu-west-1.amazonaws.com/my.bucket/a");
  expect(s3Address("s3://bucket/a", {}, { AWS_ENDPOINT_URL: "http://127.0.0.1:9000/" })).toBe("http://127.0.0.1:9000/bucket/a");
  expect(s3Address("s3://bucket/a", { endpoint: "https://x.example" }, { AWS_ENDPOINT_URL: "http://127.0.0.1:9000" })).toBe(
    "https://x.example/bucket/a",
  );
  expect(() => s3Address("s3://", {}, {})).toThrow("s3://bucket/key");
  const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_SESSION_TOKEN: "c" };
  expect(s3Credentials({}, keys)).toEqual({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c" });
  expect(s3Credentials({ signed: false }, keys)).toBeUndefined();
  expect(s3Credentials({}, {})).toBeUndefined();
  expect(() => s3Credentials({ signed: true }, {})).toThrow("AWS_ACCESS_KEY_ID");
});

test("a bucket is listed page by page and read, each request signed for its store", async () => {
  const seen: IncomingMessage[] = [];
  const lines = Buffer.from('{"text":"one"}\n{"text":"two"}\n');
  const files = store({ "/bucket/crawl/a%26b.jsonl": lines });
  const endpoint = await serve((request, response) => {
    const url = new URL(request.url!, "http://x");
    if (url.searchParams.get("list-type") !== "2") return files(request, response);
    seen.push(request);
    const second = url.searchParams.get("continuation-token") === "next";
    response.end(
      second
        ? "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>crawl/a&amp;b.jsonl</Key><Size>30</Size></Contents></ListBucketResult>"
        : "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken><Contents><Key>crawl/z.png</Key><Size>1</Size></Contents></ListBucketResult>",
    );
  });
  const options = { s3: { endpoint } };
  const found = await listObjects("s3://bucket/crawl/", options);
  expect(found).toEqual([
    { location: "s3://bucket/crawl/a&b.jsonl", sizeBytes: 30 },
    { location: "s3://bucket/crawl/z.png", sizeBytes: 1 },
  ]);
  expect(seen).toHaveLength(2);
  expect(seen[0]!.url).toBe("/bucket/?list-type=2&prefix=crawl%2F");
  expect(seen[0]!.headers.authorization).toBeUndefined();
  expect(await textsOf(found[0]!.location, options)).toEqual(["one", "two"]);
  process.env.AWS_ACCESS_KEY_ID = "key";
  process.env.AWS_SECRET_ACCESS_KEY = "secret";
  try {
    await listObjects("s3://bucket/crawl/", options);
  } finally {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
  }
  expect(seen[2]!.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/us-east-1\/s3\/aws4_request,SignedHeaders=host;/,
  );
});

async function allOf(address: string, options = {}): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readBytes(address, { retrySeconds: 0.001, maxRetries: 2, ...options })) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

const whole = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i} `).join(""));

interface Answer {
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes after which the connection is cut. */
  readonly cutAfter?: number;
  readonly ranges?: boolean;
}

/** A file on a server that follows RFC 9110's rules of Range and If-Range; `answer` says what it is at the n-th request. */
function file(answer: (n: number) => Answer, seen: IncomingMessage[] = []) {
  return serve((request, response) => {
    const { body = whole, headers = {}, cutAfter = Number.POSITIVE_INFINITY, ranges = true } = answer(seen.push(request) - 1);
    const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
    const condition = request.headers["if-range"];
    const applies = condition === undefined || condition === headers.etag || condition === headers["last-modified"];
    const partial = ranges && request.headers.range !== undefined && applies;
    if (partial && Number(from) >= body.length)
      return void response.writeHead(416, { ...headers, "content-range": `bytes */${body.length}` }).end();
    const end = to === "" ? body.length : Math.min(Number(to) + 1, body.length);
    const part = partial ? body.subarray(Number(from), end) : body;
    const range = partial ? { "content-range": `bytes ${from}-${end - 1}/${body.length}` } : {};
    response.writeHead(partial ? 206 : 200, { "content-length": part.length, ...range, ...headers });
    if (request.method === "HEAD") return void response.end();
    if (cutAfter >= part.length) return void response.end(part);
    response.write(part.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 5));
  });
}

test.each<[string, Record<string, string>, string | undefined]>([
  ["an ETag", { etag: '"one"' }, '"one"'],
  ["a date", { "last-modified": "Mon, 01 Jun 2026 00:00:00 GMT" }, "Mon, 01 Jun 2026 00:00:00 GMT"],
  ["a weak ETag, which a condition may not name", { etag: 'W/"one"' }, undefined],
  ["nothing", {}, undefined],
])("a connection that breaks again and again goes on where it broke: the version told by %s", async (_, headers, condition) => {
  const seen: IncomingMessage[] = [];
  // More breaks than tries: each of them came some way.
  const address = await file((n) => ({ headers, ...(n < 6 ? { cutAfter: 7000 } : {}) }), seen);
  expect(await allOf(address)).toEqual(whole);
  expect(seen.map((request) => request.headers.range)).toEqual([
    undefined,
    ...[1, 2, 3, 4, 5, 6].map((breaks) => `bytes=${breaks * 7000}-`),
  ]);
  expect(seen.slice(1).map((request) => request.headers["if-range"])).toEqual(Array(6).fill(condition));
  // Twice where fetch adds it to a range by itself.
  for (const request of seen) expect(request.headers["accept-encoding"]).toMatch(/^identity(, identity)?$/);
});

test("a file that changes between two connections is an error, however the server shows it", async () => {
  const first = { headers: { etag: '"one"' }, cutAfter: 5000 };
  const other = Buffer.from("other ".repeat(30_000));
  const second: Answer[] = [
    { headers: { etag: '"two"' }, body: other }, // from its beginning, as If-Range asks
    { headers: {}, body: other },
  ];
  for (const answer of second) {
    const address = await file((n) => (n === 0 ? first : answer));
    await expect(allOf(address)).rejects.toThrow(`${address}: the file changed while it was read.`);
  }
  const shorter = await file((n) => (n === 0 ? { cutAfter: 5000 } : { body: other.subarray(0, 100) }));
  await expect(allOf(shorter)).rejects.toThrow(/changed while it was read/);
  const elsewhere = await file((n) => (n === 0 ? first : { headers: { etag: '"one"', "content-range": "bytes 1-9/10" } }));
  await expect(allOf(elsewhere)).rejects.toThrow("byte 5000 was asked for, the server sent byte 1 on.");
  const parts = await file((n) => ({ headers: { etag: n < 2 ? '"one"' : '"two"' } }));
  const bytes = await openBytes(parts);
  expect(Buffer.from(await bytes.read(10, 30))).toEqual(whole.subarray(10, 30));
  await expect(bytes.read(30, 40)).rejects.toThrow(`${parts}: the file changed while it was read.`);
});

test("a part that breaks off is asked for again; a server that refuses HEAD tells the size with a part", async () => {
  const seen: IncomingMessage[] = [];
  const breaking = await file((n) => (n === 0 || n === 3 ? {} : { cutAfter: 10 }), seen);
  const bytes = await openBytes(breaking, { retrySeconds: 0.001 });
  expect(Buffer.from(await bytes.read(100, 400))).toEqual(whole.subarray(100, 400));
  expect(seen).toHaveLength(4);
  const files = store({});
  const signed = await serve((request, response) => {
    if (request.method === "HEAD") return void response.writeHead(403).end();
    if (request.headers.range !== "bytes=0-0") return files(request, response);
    response.writeHead(206, { "content-length": 1, "content-range": "bytes 0-0/1234" }).end("a");
  });
  expect(await sizeOf(`${signed}/a`)).toBe(1234);
});

test("redirects are followed; a refusal names the address, where it led to, and another region", async () => {
  const seen: IncomingMessage[] = [];
  const target = await file((n) => (n === 0 ? { cutAfter: 9000 } : {}), seen);
  const redirecting = await serve((request, response) => {
    if (request.url === "/region") return void response.writeHead(301, { "x-amz-bucket-region": "eu-west-1" }).end();
    if (request.url === "/forbidden") return void response.writeHead(403).end();
    response.writeHead(302, { location: request.url === "/away" ? "/forbidden" : target }).end();
  });
  expect(await allOf(`${redirecting}/a`)).toEqual(whole);
  expect(seen.map((request) => request.headers.range)).toEqual([undefined, "bytes=9000-"]);
  await expect(allOf(`${redirecting}/forbidden`)).rejects.toThrow(`${redirecting}/forbidden: the server answered 403.`);
  await expect(allOf(`${redirecting}/away`)).rejects.toThrow(`/away: the server answered 403 at ${redirecting}/forbidden.`);
  await expect(allOf("s3://region/", { s3: { endpoint: redirecting } })).resolves.toEqual(whole);
  await expect(allOf(`${redirecting}/region`)).rejects.toThrow("the server answered 301: the bucket lies in the region eu-west-1.");
});

test("a server says how long to wait; what it compresses on the way is inflated once", async () => {
  let calls = 0;
  const busy = await serve((_, response) =>
    calls++ === 0 ? response.writeHead(429, { "retry-after": "0.2" }).end() : response.end("now"),
  );
  const before = performance.now();
  expect((await allOf(busy)).toString()).toBe("now");
  expect(performance.now() - before).toBeGreaterThan(190);
  const lines = gzipSync('{"text":"one"}\n{"text":"two"}\n');
  const encoding = await file(() => ({ body: lines, headers: { "content-encoding": "gzip" } }));
  expect(await textsOf(`${encoding}/a.jsonl.gz`)).toEqual(["one", "two"]);
  const broken = await file(() => ({ body: gzipSync(whole, { level: 0 }), headers: { "content-encoding": "gzip" }, cutAfter: 50_000 }));
  await expect(allOf(broken)).rejects.toThrow("what the server compressed on the way has no ranges");
});

test("an address that stays away, changes or refuses is an error that says so", async () => {
  const read = async (address: string) => {
    for await (const _ of readBytes(address, { retrySeconds: 0.001, maxRetries: 2 }));
  };
  await expect(read(await serve((_, response) => response.writeHead(404).end()))).rejects.toThrow(/the server answered 404/);
  await expect(read(await serve((_, response) => response.writeHead(503).end()))).rejects.toThrow(/given up after 3 tries/);
  let tag = 0;
  const changing = await serve((_, response) => {
    response.writeHead(tag === 0 ? 200 : 206, { "content-length": 100, etag: String(tag++) });
    response.write("x", () => setTimeout(() => response.destroy(), 10));
  });
  await expect(read(changing)).rejects.toThrow(/changed while it was read/);
  await expect(read(join(folder, "missing.warc"))).rejects.toThrow(/missing\.warc: cannot be read/);
});
