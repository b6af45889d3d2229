/** The items of a shard, whatever kind of file it is: pages to extract text from, documents, and what was wrong between them. */
import { readFile } from "node:fs/promises";
import { PerennialError } from "../../errors.ts";
import type { Document } from "../document.ts";
import { readRecords } from "../formats/index.ts";
import { type Page, pageOf, readWarc } from "../warc/index.ts";
import type { CorpusPlan } from "./plan.ts";
import { byteOptions, inputFileOf, type Shard } from "./shards.ts";

export type Item =
  | { readonly page: Page; readonly recordBytes: number }
  /** A record that holds no page, such as a request or an image. */
  | { readonly none: string; readonly recordBytes: number }
  | { readonly document: Document }
  | { readonly rejection: { readonly reason: string } };

/** The items behind the first `skip`. */
export async function* itemsOf(shard: Shard, { recipe }: CorpusPlan, skip: number): AsyncGenerator<Item> {
  const { maxRecordBytes, textField, idField, textDocuments } = recipe.reading;
  const bytes = byteOptions(recipe.reading);
  if (shard.kind === "pages") {
    for (const path of shard.pages.slice(skip)) yield await pageFile(path, maxRecordBytes);
    return;
  }
  if (shard.kind === "records") {
    const options = { textField, idField, textDocuments, maxRecordBytes, bytes };
    for await (const { records } of readRecords([inputFileOf(shard)], options, { file: 0, record: skip })) yield* records;
    return;
  }
  let behind = 0;
  for await (const item of readWarc(shard.path, { maxRecordBytes, ...bytes })) {
    if (++behind <= skip) continue;
    if ("rejection" in item) yield { rejection: rejection({ file: shard.path, ...item.rejection }) };
    else {
      const recordBytes = item.record.payload.length;
      const page = pageOf(item.record, maxRecordBytes);
      yield typeof page === "string" ? { none: page, recordBytes } : { page, recordBytes };
    }
  }
}

async function pageFile(path: string, maxRecordBytes: number): Promise<Item> {
  const body = await readFile(path).catch((cause: Error) => {
    throw new PerennialError("INPUT_UNREADABLE", `${path}: cannot be read: ${cause.message}.`, { cause });
  });
  if (body.length > maxRecordBytes)
    return { rejection: rejection({ file: path, reason: "oversized-record", detail: `${body.length} bytes` }) };
  if (body.length === 0) return { none: "empty-body", recordBytes: 0 };
  return { page: { kind: "html", id: path, body, offset: 0, sizeBytes: body.length, truncated: false }, recordBytes: body.length };
}

const rejection = (record: { readonly file: string; readonly reason: string; readonly detail: string }) => record;
