/** The shards of a corpus: its input files, each with the documents it holds, in an order that is the same on every machine. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FieldError } from "../../errors.ts";
import { findInputs, type InputFile } from "../formats/index.ts";
import { isAddress } from "../warc/index.ts";

export type Shard =
  | { readonly kind: "warc"; readonly path: string; readonly sizeBytes: number | null }
  | { readonly kind: "records"; readonly path: string; readonly sizeBytes: number; readonly file: InputFile };

const WARC = /\.(warc|wet)(\.gz)?$/i;
const RECORDS = /\.((jsonl|ndjson|txt|md)(\.gz|\.zst)?|parquet)$/i;

export function findShards(inputs: readonly string[]): Shard[] {
  const shards = new Map<string, Shard>();
  const add = (shard: Shard) => void (shards.has(shard.path) || shards.set(shard.path, shard));
  const addFile = (path: string) => {
    if (WARC.test(path)) add({ kind: "warc", path, sizeBytes: statSync(path).size });
    else for (const file of findInputs([path])) add({ kind: "records", path: file.path, sizeBytes: file.sizeBytes, file });
  };
  for (const input of inputs) {
    const before = shards.size;
    if (isAddress(input)) {
      if (!WARC.test(new URL(input.replace(/^s3:/, "https:")).pathname))
        throw new FieldError("CORPUS_INPUT", { at: input, expected: "an address that ends in .warc, .warc.gz, .wet or .wet.gz" });
      add({ kind: "warc", path: input, sizeBytes: null });
    } else if (statSync(input, { throwIfNoEntry: false })?.isDirectory()) {
      const names = (readdirSync(input, { recursive: true, encoding: "utf8" }) as string[]).sort();
      for (const name of names) if (WARC.test(name) || RECORDS.test(name)) addFile(join(input, name));
      if (shards.size === before)
        throw new FieldError("CORPUS_INPUT", { at: input, expected: "a folder with WARC, WET, JSONL, Parquet or text files" });
    } else addFile(input);
  }
  return [...shards.values()];
}
