/** Whatever comes in: set aside, counted, reported; the rest goes on. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { readJsonLines } from "../formats/index.ts";
import { warcRecord, warcResponse } from "../warc/index.ts";
import type { DropLine } from "./drops.ts";
import { places } from "./plan.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { runCorpus } from "./run.ts";
import { samplePages } from "./sample-crawl.ts";
import { buildRun } from "./testing/built-run.ts";

const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "corpus-bad-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const folder = () => {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
};
const date = "2026-11-01T00:00:00Z";
const [page, ...more] = samplePages({ seed: 9, articles: 12, copies: 0 });
let numbers = 0;
const response = (html: string | Uint8Array, contentType?: string) =>
  warcResponse({ url: `https://example.org/${numbers++}`, html, date, ...(contentType === undefined ? {} : { contentType }) });
const good = () => warcResponse({ url: page!.url, html: page!.html, date });
const recipe = (input: string, given: Partial<CorpusRecipeInput> = {}): CorpusRecipeInput => ({
  inputs: [input],
  extract: { maxSeconds: 60 },
  reading: { maxRecordBytes: 30_000_000, maxTextBytes: 2_000_000, retries: 1, retrySeconds: 0.01 },
  deduplicate: null,
  filters: [],
  ...given,
});
async function reasonsOf(at: string): Promise<Record<string, number>> {
  const reasons: Record<string, number> = {};
  for (const phase of ["read", "write"] as const) {
    const path = places.dropped(at, phase, 0);
    if (existsSync(path))
      for await (const { dropped } of readJsonLines<DropLine>(path)) reasons[dropped.reason] = (reasons[dropped.reason] ?? 0) + 1;
  }
  return reasons;
}

test("WARC: damaged members, other records, bombs, deep nesting, bad bytes, forbidden hosts", async () => {
  const input = folder();
  const damaged = Buffer.from(response(page!.html));
  damaged.fill(0, 40, 80);
  const nested = `<html><body>${"<div>".repeat(200_000)}<p>${"deep ".repeat(30)}</p></body></html>`;
  const wide = `<html><body><main>${"<p>many words stand in this line of the page, again and again.</p>".repeat(60_000)}</main></body></html>`;
  const bomb = Buffer.concat([
    Buffer.from("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n"),
    gzipSync(Buffer.alloc(40_000_000, 60)),
  ]);
  const bytes = Buffer.from(page!.html);
  const invalid = Buffer.concat([
    bytes.subarray(0, bytes.indexOf("</p>")),
    Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
    bytes.subarray(bytes.indexOf("</p>")),
  ]);
  writeFileSync(
    join(input, "a.warc.gz"),
    Buffer.concat([
      damaged,
      good(),
      warcRecord({ "WARC-Type": "request" }, Buffer.from("GET /")),
      response("<nav><a href=x>menu</a></nav>"),
      warcResponse({ url: "https://casino.example/4", html: page!.html, date }),
      response(nested),
      response(wide),
      warcRecord({ "WARC-Type": "response", "WARC-Target-URI": "https://example.org/bomb", "WARC-Date": date }, bomb),
      response(invalid),
      response(""),
      response("&#xd800;<p>".repeat(3)),
    ]),
  );
  const at = folder();
  const manifest = await runCorpus(at, recipe(input, { urls: { domains: ["casino.example"] } }));
  expect(manifest.failures).toEqual([]);
  expect(manifest.rejections).toEqual({ "damaged-member": 1 });
  expect(manifest.funnel.read!.dropped).toEqual({ "other-record-type": 1, "undecodable-body": 1, "empty-body": 1 });
  expect(manifest.funnel.urls!.dropped).toEqual({ "url-domain": 1 });
  const reasons = await reasonsOf(at);
  expect(reasons).toMatchObject({ "url-domain": 1, "no-main-text": expect.any(Number) as number });
  // Pages went somewhere: kept, or dropped with a reason that is on the record.
  const { urls, extract, clean } = manifest.funnel;
  expect(extract!.documentsIn).toBe(urls!.documentsOut);
  expect(clean!.documentsOut).toBe(manifest.documents);
  expect(manifest.documents).toBeGreaterThanOrEqual(2);
  for (const line of await documentsOf(at, manifest.files))
    expect((line.text as unknown as { isWellFormed(): boolean }).isWellFormed()).toBe(true);
});

async function documentsOf(at: string, files: readonly { path: string }[]): Promise<{ text: string }[]> {
  const all: { text: string }[] = [];
  for (const { path } of files) for await (const line of readJsonLines<{ text: string }>(join(at, path))) all.push(line);
  return all;
}

test("JSONL: broken lines, a line of 40 MB, a text of 5 MB, lone surrogates, bad UTF-8, gzip that is corrupt in the middle, nothing at all", async () => {
  const input = folder();
  const text = (content: string) => Buffer.from(`${JSON.stringify({ text: content })}\n`);
  writeFileSync(
    join(input, "a.jsonl"),
    Buffer.concat([
      text("Only a short text in English that says nothing at all."),
      Buffer.from("not json\n[1]\n{}\n"),
      Buffer.from('{"text":"\\ud800"}\n'),
      Buffer.from([0x22, 0xff, 0x0a]),
      text("x".repeat(40_000_000)),
      text("y ".repeat(2_500_000)),
      text(""),
      text("The last line is read as well."),
    ]),
  );
  const lines = Buffer.concat(Array.from({ length: 3000 }, (_, i) => text(`line ${i} ${Math.sin(i)}`)));
  const corrupt = Buffer.from(gzipSync(lines));
  corrupt.fill(0x55, corrupt.length >> 1, (corrupt.length >> 1) + 500);
  writeFileSync(join(input, "b.jsonl.gz"), corrupt);
  for (const name of ["c.jsonl", "d.warc.gz", "e.txt", "f.jsonl.zst"]) writeFileSync(join(input, name), "");
  const at = folder();
  const manifest = await runCorpus(at, recipe(input));
  expect(manifest.failures).toEqual([]);
  // What is behind the damage of the gzip file inflates to garbage until its decoder gives up: more lines that are none.
  const atLeastOne = expect.toSatisfy((count: number) => count >= 1) as number;
  expect(manifest.rejections).toEqual({
    ...{ "invalid-json": atLeastOne, "not-an-object": atLeastOne, "missing-text": atLeastOne },
    ...{ "lone-surrogate": 1, "invalid-utf-8": atLeastOne, "oversized-record": 1, "damaged-file": 1 },
  });
  expect(manifest.funnel.extract!.dropped).toEqual({ "text-too-long": 1, "empty-text": 1 });
  expect(manifest.documents).toBeGreaterThan(1000);
  expect(manifest.documents).toBeLessThan(3002);
  expect(await reasonsOf(at)).toEqual({ "text-too-long": 1, "empty-text": 1 });
  expect(readFileSync(places.card(at), "utf8")).toContain("Records that could not be read: ");
});

test("shards that cannot be read are tried again, then set aside; what was read of them stays, the others go on", async () => {
  const input = folder();
  writeFileSync(
    join(input, "a.warc.gz"),
    Buffer.concat([good(), ...more.slice(0, 4).map(({ url, html }) => warcResponse({ url, html, date }))]),
  );
  let tries = 0;
  const server = createServer((request, answer) => {
    if (request.url === "/gone.warc.gz") return void answer.writeHead(404).end();
    tries++;
    answer.writeHead(200, { "content-length": 1_000_000 });
    answer.write(good(), () => setTimeout(() => answer.destroy(), 10)); // breaks, and gives no ranges
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const inputs = [input, `${address}/gone.warc.gz`, `${address}/breaks.warc.gz`];
  // Its size is told, reading it is an error.
  if (process.platform === "linux") {
    symlinkSync("/proc/self/mem", join(input, "b.jsonl"));
  }
  const at = folder();
  const manifest = await runCorpus(at, { ...recipe(input), inputs });
  server.close();
  expect(tries).toBe(2);
  expect(manifest.failures.map(({ reason }) => reason.replace(/^.*: /s, ""))).toEqual([
    ...(process.platform === "linux" ? ["i/o error, read."] : []),
    "the server answered 404.",
    expect.stringMatching(/the server gives no ranges/),
  ]);
  expect(manifest.documents).toBe(6);
  expect(readFileSync(places.card(at), "utf8")).toContain("Not read to its end: ");
});

test("a full disk ends the run in one line; with room again it goes on to the same files", async () => {
  const input = folder();
  for (let shard = 0; shard < 3; shard++)
    writeFileSync(
      join(input, `${shard}.jsonl`),
      Array.from(
        { length: 400 },
        (_, i) =>
          `${JSON.stringify({ text: `${shard} ${i} ${Array.from({ length: 60 }, (_, k) => Math.sin(shard * 1e6 + i * 100 + k)).join(" ")}` })}\n`,
      ).join(""),
    );
  const whole = recipe(input, { checkpointItems: 50 });
  const expected = await runCorpus(folder(), whole);
  const built = await buildRun("corpus-full-test");
  try {
    const at = folder();
    const full = await built.live({ folder: at, recipe: whole, workers: 1, maxFileBlocks: 64 });
    expect(full.end).toBe("failed");
    expect(full.errors).toMatch(
      /^\S+: a file grew beyond the largest size that is allowed\. Make room, then run again: it goes on where it was\.\n$/,
    );
    const { end } = await built.live({ folder: at, recipe: whole, workers: 1 });
    expect(end).toBe("finished");
    const { files } = JSON.parse(readFileSync(places.manifest(at), "utf8")) as typeof expected;
    expect(files).toEqual(expected.files);
  } finally {
    built.remove();
  }
});
