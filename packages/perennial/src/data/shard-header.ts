import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FieldError, PerennialError } from "../errors.ts";

export type Subset = "train" | "held-out";
export const SUBSETS: readonly Subset[] = ["train", "held-out"];

const count = z.int().nonnegative();

/** One part of one subset: three flat little-endian files that belong together. */
const partSchema = z.strictObject({
  documents: count,
  tokens: count,
  /** UTF-8 bytes of the texts. */
  textBytes: count,
  /** SHA-256 over the files `.ids`, `.ends` and `.bytes`. */
  sha256: z.string(),
});
export type Part = z.output<typeof partSchema>;

/** What is known when a part is on the disk: enough to go on after it. */
export const commitSchema = z.strictObject({
  /** Where the next part begins. */
  next: z.strictObject({ file: count, record: count }),
  done: z.boolean(),
  /** Documents without any token; they are in no part. */
  emptyDocuments: count,
  rejected: z.record(z.string(), count),
  parts: z.strictObject({ train: partSchema, "held-out": partSchema }),
});
export type Commit = z.output<typeof commitSchema>;

export const headerSchema = z.strictObject({
  format: z.literal("perennial-tokens"),
  version: z.literal(1),
  /** SHA-256 over the hashes of all parts: two folders with one hash hold the same tokens. */
  hash: z.string(),
  /** Of what went in: tokenizer, input contents, options. */
  inputHash: z.string(),
  tokenizerHash: z.string(),
  vocabSize: z.int().positive(),
  dtype: z.enum(["uint16", "uint32"]),
  prependTokenId: count.nullable(),
  appendTokenId: count.nullable(),
  emptyDocuments: count,
  rejected: z.record(z.string(), count),
  subsets: z.strictObject({ train: z.array(partSchema), "held-out": z.array(partSchema) }),
});
export type ShardHeader = z.output<typeof headerSchema>;

export const partPath = (folder: string, subset: Subset, part: number, kind: "ids" | "ends" | "bytes"): string =>
  join(folder, `${subset}-${String(part).padStart(5, "0")}.${kind}`);
export const commitPath = (folder: string, part: number): string => join(folder, `commit-${String(part).padStart(5, "0")}.json`);
export const rejectedPath = (folder: string, part: number): string => join(folder, `rejected-${String(part).padStart(5, "0")}.jsonl`);

export function readHeader(folder: string): ShardHeader {
  const path = join(folder, "header.json");
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new PerennialError("SHARDS_UNREADABLE", `${path}: cannot be read: ${(cause as Error).message}.`, { cause });
  }
  const result = headerSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new FieldError("SHARDS_HEADER", {
    at: `${path} ${issue.path.join(".")}`,
    expected: `the header of token shards (${issue.message})`,
    todo: "delete the folder, it will be made again",
  });
}
