import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Zstd } from "@hpcc-js/wasm-zstd";
import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Document } from "../document.ts";
import { hashInputs } from "./hash-inputs.ts";
import { findInputs, globPattern } from "./inputs.ts";
import { splitLines } from "./lines.ts";
import { type ReadOptions, readDocuments, readRecords } from "./read-documents.ts";
import { Rejections } from "./rejections.ts";
import { JsonlWriter, writeJsonl } from "./write-jsonl.ts";
import { writeParquet } from "./write-parquet.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "formats-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function file(name: string, content: Uint8Array | string): string {
  const parent = join(folder, String(made++));
  mkdirSync(parent);
  writeFileSync(join(parent, name), content);
  return join(parent, name);
}

async function texts(paths: string | string[], options: ReadOptions & { rejections?: Rejections } = {}): Promise<string[]> {
  const out: string[] = [];
  for await (const document of readDocuments([paths].flat(), options)) out.push(document.text);
  return out;
}

const jsonl = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ text: `document ${from + i} ${"ż".repeat((from + i) % 90)}` })}\n`).join(
    "",
  );
const expected = (to: number) => Array.from({ length: to }, (_, i) => `document ${i} ${"ż".repeat(i % 90)}`);

test("JSONL is the same plain, in gzip members and in zstd frames, also where frames cut a line", async () => {
  const raw = Buffer.from(jsonl(0, 20_000));
  const cut = 777_777;
  const zstd = await Zstd.load();
  const parts = [raw.subarray(0, cut), raw.subarray(cut)];
  const paths = [
    file("a.jsonl", raw),
    file("a.jsonl.gz", Buffer.concat(parts.map((part) => gzipSync(part)))),
    file("a.jsonl.zst", Buffer.concat(parts.map((part) => Buffer.from(zstd.compress(part))))),
  ];
  for (const path of paths) expect(await texts(path)).toEqual(expected(20_000));
});

test("lines do not depend on how the bytes are cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-c]{0,6}$/)),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      fc.boolean(),
      async (lines, cuts, ends) => {
        const text = lines.join("\n") + (ends && lines.length > 0 ? "\n" : "");
        const bytes = Buffer.from(text);
        const chunks = async function* () {
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const size = cuts[i % cuts.length]!;
            yield bytes.subarray(at, at + size);
            at += size;
          }
        };
        const got: string[] = [];
        let offset = 0;
        for await (const batch of splitLines(chunks(), 4)) {
          for (const line of batch) {
            expect(line.offset).toBe(offset);
            expect(line.number).toBe(got.length + 1);
            expect(line.bytes === undefined).toBe(line.sizeBytes > 4);
            got.push(bytes.toString("latin1", line.offset, line.offset + line.sizeBytes));
            offset += line.sizeBytes + 1;
          }
        }
        expect(got).toEqual(text === "" ? [] : text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n"));
      },
    ),
  );
});

test("broken records are set aside with file, line and reason, and the run goes on", async () => {
  const lines: (Buffer | string)[] = [
    '\ufeff{"text":"first","id":7,"url":"u","language":"kab","lang":3,"__proto__":1}',
    "{oops",
    "[1]",
    '{"body":"no text"}',
    Buffer.from([0x7b, 0xff, 0x7d]),
    '{"text":"\\ud800 alone"}',
    `{"text":"${"x".repeat(300_000)}"}`,
    "   ",
    '{"text":"last\\r\\nline"}',
  ];
  const path = file("broken.jsonl", Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")])));
  const aside = join(folder, "aside", "rejected.jsonl");
  const rejections = new Rejections(aside);
  const documents: Document[] = [];
  for await (const document of readDocuments([path], { rejections, maxRecordBytes: 200_000 })) documents.push(document);
  rejections.close();
  expect(documents.map(({ text, id }) => [text, id])).toEqual([
    ["first", "7"],
    ["last\nline", `${path}:9`],
  ]);
  expect(documents[0]).toMatchObject({ url: "u", language: "kab", provenance: { file: path, offset: 0 } });
  expect(Object.entries(documents[0]!.metadata)).toEqual([
    ["lang", 3],
    ["__proto__", 1],
  ]);
  const written = readFileSync(aside, "utf8").trimEnd().split("\n");
  expect(written.map((line) => JSON.parse(line)).map(({ file: name, line, reason }) => [name, line, reason])).toEqual([
    [path, 2, "invalid-json"],
    [path, 3, "not-an-object"],
    [path, 4, "missing-text"],
    [path, 5, "invalid-utf-8"],
    [path, 6, "lone-surrogate"],
    [path, 7, "oversized-record"],
  ]);
  expect(rejections.counts["invalid-json"]).toBe(1);
  expect(rejections.total).toBe(6);
  await expect(texts(path)).rejects.toThrow(`${path}:2: expected a document, found invalid-json`);
});

test.each(["gz", "zst"])("what was read before a damage in a .%s stays, and the damage is counted", async (ending) => {
  const path = file(`a.jsonl.${ending}`, "");
  const writer = await JsonlWriter.open(path);
  for (let i = 0; i < 24_000; i++) {
    const text = `${i} ${"0123456789abcdef".slice(i % 16)}`;
    writer.write({ id: `${i}`, text, provenance: { file: "f" }, metadata: {}, annotations: {} });
  }
  writer.close();
  const whole = readFileSync(path);
  const all = await texts(path);
  expect(all).toHaveLength(24_000);
  const damages: [string, Buffer][] = [
    ["cut", whole.subarray(0, Math.floor(whole.length * 0.7))],
    [
      "overwritten",
      Buffer.concat([whole.subarray(0, whole.length >> 1), Buffer.alloc(5000, 0xff), whole.subarray((whole.length >> 1) + 5000)]),
    ],
  ];
  for (const [, bytes] of damages) {
    writeFileSync(path, bytes);
    const rejections = new Rejections();
    const before = await texts(path, { rejections });
    expect(rejections.counts["damaged-file"]).toBe(1);
    expect(before.length).toBeGreaterThan(1000);
    expect(before.length).toBeLessThan(24_000);
    const intact = before.slice(0, Math.floor(before.length * 0.8));
    expect(intact).toEqual(all.slice(0, intact.length));
  }
});

test("documents survive JSONL and Parquet unchanged", async () => {
  const documents: Document[] = Array.from({ length: 2500 }, (_, i) => ({
    id: `d${i}`,
    text: `text ${i} ⵣ 🌱`,
    ...(i % 2 === 0 ? { language: "kab", languageScore: 0.25, script: "Tfng", clusterSize: i, url: "https://a.example" } : {}),
    provenance: { file: "x.warc", offset: i, crawl: "c" },
    metadata: { n: i, list: [1, null, { a: "b" }] },
    annotations: { filter: { score: 0.5 } },
  }));
  const paths = ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"].map((name) => file(name, ""));
  for (const path of paths) expect(await writeJsonl(path, documents)).toBe(2500);
  const parquet = file("a.parquet", "");
  await writeParquet(parquet, documents, { rowGroupRows: 700 });
  for (const path of [...paths, parquet]) {
    const read: Document[] = [];
    for await (const document of readDocuments([path])) read.push(document);
    expect(read).toEqual(documents);
  }
});

test("a damaged Parquet row group is set aside, the others are read; a missing column names its neighbors", async () => {
  const documents = Array.from({ length: 300 }, (_, i) => ({
    id: `d${i}`,
    text: `text ${i} ${"abc".repeat(i)}`,
    provenance: { file: "f" },
    metadata: {},
    annotations: {},
  }));
  const path = file("a.parquet", "");
  await writeParquet(path, documents, { rowGroupRows: 100 });
  const bytes = readFileSync(path);
  const { buffer, byteOffset, length } = bytes;
  const textColumn = parquetMetadata(buffer.slice(byteOffset, byteOffset + length)).row_groups[1]!.columns[1]!.meta_data!;
  bytes.fill(0xff, Number(textColumn.data_page_offset), Number(textColumn.data_page_offset) + 200);
  writeFileSync(path, bytes);
  const rejections = new Rejections();
  const read = await texts(path, { rejections });
  expect(rejections.counts).toEqual({ "damaged-file": 1 });
  expect(read).toEqual([...documents.slice(0, 100), ...documents.slice(200)].map(({ text }) => text));
  await expect(texts(path, { textField: "texts" })).rejects.toThrow('Write textField: "text" if that is meant');
  writeFileSync(path, bytes.subarray(0, bytes.length - 20));
  await expect(texts(path)).rejects.toThrow(`${path}: is not a readable Parquet file`);
});

test("plain text: a file, a paragraph or what stands between dashes is a document", async () => {
  const path = file("a.txt", "\ufeffone\r\ntwo\r\n\r\n\r\nthree\r\n---\r\nfour\r\n  \r\n");
  expect(await texts(path)).toEqual(["one\ntwo\n\n\nthree\n---\nfour"]);
  expect(await texts(path, { textDocuments: "blank-lines" })).toEqual(["one\ntwo", "three\n---\nfour"]);
  expect(await texts(path, { textDocuments: "dashes" })).toEqual(["one\ntwo\n\n\nthree", "four"]);
  const rejections = new Rejections();
  const long = file("b.md.gz", gzipSync(`${"x".repeat(50)}\n\nshort\n`));
  expect(await texts(long, { textDocuments: "blank-lines", maxRecordBytes: 20, rejections })).toEqual(["short"]);
  expect(rejections.counts).toEqual({ "oversized-record": 1 });
  expect(await texts(long, { maxRecordBytes: 20, rejections })).toEqual([]);
  expect(await texts(file("empty.txt", " \n"))).toEqual([]);
});

test("folders and globs give each file once, in one order", () => {
  const root = join(folder, "tree");
  for (const path of ["b/2.jsonl", "b/1.txt.gz", "a.parquet", "b/.hidden.txt", "b/picture.png", "c/d/3.jsonl.zst"]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "");
  }
  symlinkSync(root, join(root, "c", "loop"));
  const names = (paths: string[]) => findInputs(paths.map((path) => join(root, path))).map(({ path }) => path.slice(root.length + 1));
  expect(names(["."])).toEqual(["a.parquet", "b/1.txt.gz", "b/2.jsonl", "c/d/3.jsonl.zst"]);
  expect(names(["b/*.{jsonl,txt.gz}", "b/2.jsonl"])).toEqual(["b/1.txt.gz", "b/2.jsonl"]);
  expect(names(["**/*.zst", "a.parquet"])).toEqual(["c/d/3.jsonl.zst", "a.parquet"]);
  expect(globPattern("a/**/?.txt").test("a/x.txt")).toBe(true);
  expect(globPattern("a/*.txt").test("a/b/x.txt")).toBe(false);
  expect(() => names(["none"])).toThrow("no such file or folder");
  expect(() => names(["nowhere/*.jsonl"])).toThrow(/nowhere\/\*\.jsonl: there is no folder .*\/nowhere\./);
  expect(() => names(["b/picture.png"])).toThrow("a file with the ending .jsonl");
  expect(() => names(["b/*.parquet"])).toThrow("at least one file");
});

test("reading goes on from any position", async () => {
  const files = findInputs([file("a.jsonl", jsonl(0, 5000)), file("b.jsonl", jsonl(5000, 5003)), file("c.txt", "end")]);
  const all: string[] = [];
  for await (const { records } of readRecords(files, {}))
    for (const record of records) if ("document" in record) all.push(record.document.text);
  for (const from of [
    { file: 0, record: 4321 },
    { file: 0, record: 5000 },
    { file: 1, record: 1 },
    { file: 2, record: 0 },
  ]) {
    const rest: string[] = [];
    for await (const { records } of readRecords(files, {}, from))
      for (const record of records) if ("document" in record) rest.push(record.document.text);
    expect(rest).toEqual(all.slice([0, 5000, 5003][from.file]! + from.record));
  }
});

test("the hash of inputs follows their content; the cache follows size and times", async () => {
  const path = file("a.txt", "aaaa");
  const cache = join(folder, "hashes.json");
  const first = await hashInputs(findInputs([path]), cache);
  expect(await hashInputs(findInputs([path]), cache)).toBe(first);
  expect(await hashInputs(findInputs([file("other-name.txt", "aaaa")]))).toBe(first);
  writeFileSync(path, "bbbb");
  utimesSync(path, 1, 1);
  expect(await hashInputs(findInputs([path]), cache)).not.toBe(first);
  writeFileSync(cache, "{ damaged");
  expect(await hashInputs(findInputs([path]), cache)).toMatch(/^[0-9a-f]{64}$/);
});

test("a discarded or failed write leaves the old file and nothing else", async () => {
  const path = file("a.jsonl", jsonl(0, 2));
  const writer = await JsonlWriter.open(path);
  writer.discard();
  const failing = async function* (): AsyncGenerator<Document> {
    yield { id: "1", text: "t", provenance: { file: "f" }, metadata: {}, annotations: {} };
    throw new Error("the source broke");
  };
  await expect(writeJsonl(path, failing())).rejects.toThrow("the source broke");
  await expect(writeParquet(path, failing())).rejects.toThrow("the source broke");
  expect(await texts(path)).toEqual(expected(2));
  expect(readdirSync(join(path, ".."))).toEqual(["a.jsonl"]);
});

test("an unreadable file is an error that names it", async () => {
  const path = file("a.jsonl", jsonl(0, 2));
  const inputs = findInputs([path]);
  rmSync(path);
  const read = async () => {
    for await (const _ of readRecords(inputs, {}));
  };
  await expect(read()).rejects.toThrow(`${path}: cannot be read`);
});
