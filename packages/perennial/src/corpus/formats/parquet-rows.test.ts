import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetMetadata } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDocuments } from "./read-documents.ts";
import { Rejections } from "./rejections.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parquet-rows-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a row group that keeps the decoder busy for ever is set aside after its time; the others are read", async () => {
  const path = join(folder, "a.parquet");
  const texts = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? null : `text ${i}`));
  const rows = (function* () {
    for (const text of texts) yield { text };
  })();
  const columns = [{ name: "text", type: "STRING" as const, nullable: true, encoding: "PLAIN" as const }];
  await parquetWriteRows({ writer: fileWriter(path), rows, columns, rowGroupSize: 100, codec: "UNCOMPRESSED" });
  const bytes = readFileSync(path);
  const { buffer, byteOffset, length } = bytes;
  const { data_page_offset } = parquetMetadata(buffer.slice(byteOffset, byteOffset + length)).row_groups[1]!.columns[0]!.meta_data!;
  const reader = { view: new DataView(buffer, byteOffset, length), offset: Number(data_page_offset) };
  const { data_page_header_v2 } = parquetHeader(reader);
  expect(data_page_header_v2!.definition_levels_byte_length).toBeGreaterThan(6);
  // A run of 2³¹ − 1 equal definition levels, where there are 100.
  bytes.set([0xfe, 0xff, 0xff, 0xff, 0x0f, 1], reader.offset);
  writeFileSync(path, bytes);
  const rejections = new Rejections(join(folder, "rejected.jsonl"));
  const read: string[] = [];
  for await (const { text } of readDocuments([path], { rejections, decodeSeconds: 1 })) read.push(text);
  expect(read).toEqual([...texts.slice(0, 100), ...texts.slice(200)].filter((text) => text !== null));
  expect(rejections.counts).toMatchObject({ "damaged-file": 1 });
  rejections.close();
  expect(readFileSync(join(folder, "rejected.jsonl"), "utf8")).toContain("rows 101 to 200 do not decode: no end of it after 1 s");
});
