/** The rows of a split: JSONL (also .gz and .zst), a JSON list, or Parquet; whole in memory, as test sets are small. */

import { readFile } from "node:fs/promises";
import { toJson } from "hyparquet";
import { findInputs, readChunks, readParquetRows } from "../../corpus/formats/index.ts";
import { FieldError } from "../../errors.ts";

export type Doc = Readonly<Record<string, unknown>>;

export interface Split {
  readonly docs: readonly Doc[];
  /** Names of all fields, in the order in which they first occur. */
  readonly features: ReadonlySet<string>;
}

/** Rows of all files in their order; a field that a row lacks is null, as in a table. `at` names the split in errors. */
export async function readSplit(files: readonly string[], at: string): Promise<Split> {
  const rows: Doc[] = [];
  for (const file of files) rows.push(...(await readRows(file, at)));
  if (rows.length === 0) throw new FieldError("TASK_DATA", { at, expected: `at least one row in ${files.join(", ")}` });
  const features = new Set(rows.flatMap((row) => Object.keys(row)));
  const empty = Object.fromEntries([...features].map((name) => [name, null]));
  return { docs: rows.map((row) => ({ ...empty, ...row })), features };
}

async function readRows(file: string, at: string): Promise<Doc[]> {
  try {
    if (file.endsWith(".parquet")) return await readParquet(file);
    const text = await readText(file);
    return text.trimStart().startsWith("[") ? readList(text, file) : readLines(text, file);
  } catch (cause) {
    if (cause instanceof FieldError) throw cause;
    throw new FieldError("TASK_DATA", { at, expected: `a readable file (${(cause as Error).message})`, received: file }, { cause });
  }
}

async function readParquet(file: string): Promise<Doc[]> {
  const docs: Doc[] = [];
  for await (const { rows, problem } of readParquetRows(file)) {
    const invalid = rows.findIndex((row) => Object.values(row).some((value) => value instanceof Error));
    if (problem !== undefined || invalid >= 0) throw new Error(problem ?? `row ${docs.length + invalid + 1} is not UTF-8`);
    docs.push(...rows.map((row) => toJson(row) as Doc));
  }
  return docs;
}

async function readText(file: string): Promise<string> {
  if (file.endsWith(".json")) return (await readFile(file, "utf8")).replace(/^\ufeff/, "");
  const [input] = findInputs([file]);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(input!)) chunks.push(chunk);
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\ufeff/, "");
}

function readLines(text: string, file: string): Doc[] {
  return text.split("\n").flatMap((line, i) => (line.trim() === "" ? [] : [row(line, `${file}:${i + 1}`)]));
}

function readList(text: string, file: string): Doc[] {
  return (parse(text, file) as unknown[]).map((value, i) => checked(value, `${file}[${i}]`));
}

const row = (line: string, at: string): Doc => checked(parse(line, at), at);

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FieldError("TASK_DATA", { at, expected: `JSON (${(cause as Error).message})` }, { cause });
  }
}

function checked(value: unknown, at: string): Doc {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FieldError("TASK_DATA", { at, expected: "an object with named fields", received: value });
  return value as Doc;
}
