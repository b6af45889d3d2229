/** The shards of a corpus: its input files, each with the documents it holds, in an order that is the same on every machine. */
import { statSync } from "node:fs";
import { FieldError } from "../../errors.ts";
import {
  type ByteOptions,
  type Compression,
  type Format,
  formatOf,
  type InputFile,
  isAddress,
  listObjects,
  matchPaths,
} from "../formats/index.ts";
import { readListFile } from "./lists.ts";
import type { CorpusRecipe, ReadingSettings } from "./recipe.ts";

/** `sizeBytes`: null for an address, which is not asked before it is read: a dead one costs itself only. */
export type Shard =
  | { readonly kind: "warc"; readonly path: string; readonly sizeBytes: number | null }
  | {
      readonly kind: "records";
      readonly path: string;
      readonly sizeBytes: number | null;
      readonly format: Format;
      readonly compression: Compression;
    }
  /** HTML files, together one shard; `path` is the first. */
  | { readonly kind: "pages"; readonly path: string; readonly sizeBytes: number; readonly pages: readonly string[] };

const WARC = /\.(warc|wet)(\.gz)?$/i;
const HTML = /\.x?html?$/i;
const KNOWN = ".warc, .wet (also .gz), .html, .jsonl, .txt, .md (also .gz, .zst) or .parquet";

export function byteOptions({ retries, retrySeconds, endpoint, region, signed }: ReadingSettings): ByteOptions {
  const s3 = { signed, ...(endpoint === undefined ? {} : { endpoint }), ...(region === undefined ? {} : { region }) };
  return { maxRetries: retries, retrySeconds, s3 };
}

/** As the readers of records see such a shard. */
export const inputFileOf = ({ path, sizeBytes, format, compression }: Extract<Shard, { kind: "records" }>): InputFile => ({
  path,
  sizeBytes: sizeBytes ?? 0,
  format,
  compression,
});

export async function findShards(inputs: CorpusRecipe["inputs"], reading: ReadingSettings): Promise<Shard[]> {
  const shards = new Map<string, Shard>();
  const pages: string[] = [];
  const add = (path: string, sizeBytes: number | null): boolean => {
    const name = isAddress(path) ? path.replace(/[?#].*$/s, "") : path;
    const records = formatOf(name);
    if (HTML.test(name) && !isAddress(path)) pages.push(path);
    else if (shards.has(path)) return true;
    else if (WARC.test(name)) shards.set(path, { kind: "warc", path, sizeBytes });
    else if (records) shards.set(path, { kind: "records", path, sizeBytes, ...records });
    else return false;
    return true;
  };
  for (const location of inputs.flatMap(locationsOf)) {
    let found = 0;
    if (location.startsWith("s3:") && location.endsWith("/")) {
      for (const object of await listObjects(location, byteOptions(reading))) if (add(object.location, object.sizeBytes)) found++;
    } else if (isAddress(location)) {
      if (add(location, null)) found++;
    } else for (const path of matchPaths(location)) if (add(path, statSync(path).size)) found++;
    if (found === 0) throw new FieldError("CORPUS_INPUT", { at: location, expected: `at least one file with the ending ${KNOWN}` });
  }
  return [...shards.values(), ...grouped([...new Set(pages)], reading.pagesPerShard)];
}

function locationsOf(input: CorpusRecipe["inputs"][number]): string[] {
  if (typeof input === "string") return [input];
  const lines = readListFile(input.list).split("\n");
  return lines.map((line) => line.trim()).flatMap((line) => (line === "" || line.startsWith("#") ? [] : [`${input.prefix}${line}`]));
}

function* grouped(pages: readonly string[], pagesPerShard: number): Generator<Shard> {
  for (let at = 0; at < pages.length; at += pagesPerShard) {
    const group = pages.slice(at, at + pagesPerShard);
    yield { kind: "pages", path: group[0]!, sizeBytes: group.reduce((sum, path) => sum + statSync(path).size, 0), pages: group };
  }
}
