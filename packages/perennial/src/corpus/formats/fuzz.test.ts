/** Damaged JSONL (plain, gzip, zstd), text and Parquet; warc.test.ts has the WARC reader. Readers give documents and rejections, or say that the file cannot be read; nothing else happens. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PerennialError } from "../../errors.ts";
import { type Stream, stream } from "../../stream.ts";
import type { Document } from "../document.ts";
import { findInputs } from "./inputs.ts";
import { readRecords } from "./read-documents.ts";
import { writeJsonl } from "./write-jsonl.ts";
import { writeParquet } from "./write-parquet.ts";

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

const documents: Document[] = Array.from({ length: 40 }, (_, i) => ({
  id: `d${i}`,
  text: `text ${i} ${"ż🌱".repeat(i % 5)} ${Math.sin(i)}`,
  provenance: { file: "f", offset: i },
  metadata: { n: i },
  annotations: {},
}));
const seeds = new Map<string, Buffer>();
beforeAll(async () => {
  for (const name of ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"]) await writeJsonl(join(folder, name), documents);
  writeFileSync(join(folder, "a.txt"), documents.map(({ text }) => text).join("\n\n"));
  await writeParquet(join(folder, "a.parquet"), documents, { rowGroupRows: 15 });
  for (const name of ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.txt", "a.parquet"]) seeds.set(name, readFileSync(join(folder, name)));
});

function damaged(seed: Buffer, random: Stream): Buffer {
  let bytes = Buffer.from(seed);
  if (random.integer(4) === 0) bytes = bytes.subarray(0, random.integer(bytes.length));
  for (let i = 1 + random.integer(4); i > 0 && bytes.length > 0; i--) bytes[random.integer(bytes.length)] = random.integer(256);
  if (random.integer(8) === 0)
    bytes = Buffer.concat([bytes.subarray(0, random.integer(bytes.length + 1)), bytes.subarray(random.integer(bytes.length + 1))]);
  return bytes;
}

test.each([
  ["a.jsonl", 1500],
  ["a.jsonl.gz", 1500],
  ["a.jsonl.zst", 1500],
  ["a.txt", 500],
  ["a.parquet", 2000],
])("%s: %i damaged variants", async (name, variants) => {
  const random = stream(7, `fuzz/${name}`);
  const path = join(folder, `damaged-${name}`);
  const seen = { documents: 0, rejections: 0, unreadable: 0 };
  for (let variant = 0; variant < variants; variant++) {
    writeFileSync(path, damaged(seeds.get(name)!, random));
    try {
      for await (const { records } of readRecords(findInputs([path]), { textDocuments: "blank-lines" }))
        for (const record of records) {
          if ("rejection" in record) seen.rejections++;
          else {
            seen.documents++;
            const { id, text } = record.document;
            if (typeof id !== "string" || !(text as unknown as { isWellFormed(): boolean }).isWellFormed())
              expect.unreachable(`${variant}: ${id}`);
          }
        }
    } catch (error) {
      if (!(error instanceof PerennialError && ["INPUT_UNREADABLE", "PARQUET_COLUMN"].includes(error.code))) throw error;
      seen.unreadable++;
    }
  }
  if (name !== "a.parquet") expect(seen.documents).toBeGreaterThan(variants / 2);
  expect(seen.rejections + seen.unreadable).toBeGreaterThan(variants / 20);
});
