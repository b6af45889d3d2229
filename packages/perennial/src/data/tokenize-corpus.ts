import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  findInputs,
  hashInputs,
  type InputFile,
  Rejections,
  readRecords,
  syncFolder,
  type TextDocuments,
  writeFileAtomic,
} from "../corpus/formats/index.ts";
import { FieldError } from "../errors.ts";
import { findHeldOutLimit, type HeldOut, heldOutHash } from "./held-out.ts";
import { type PartOptions, PartWriter } from "./part-writer.ts";
import { type Commit, commitPath, commitSchema, readHeader, rejectedPath, type ShardHeader, SUBSETS } from "./shard-header.ts";
import type { BatchTokenizer } from "./tokenizer.ts";

export interface TokenizeOptions {
  /** Files, folders and globs of documents. */
  readonly paths: readonly string[];
  readonly tokenizer: BatchTokenizer;
  /** Where the folders of shards lie; each is named by its content. */
  readonly shardsFolder: string;
  readonly textField?: string;
  readonly textDocuments?: TextDocuments;
  readonly maxRecordBytes?: number;
  /** Text kept from training, in a subset of its own. */
  readonly heldOut?: HeldOut;
  /** Put before each document; the tokenizer's own start by default, `null` for none. */
  readonly prependTokenId?: number | null;
  /** Put after each document; the tokenizer's end of sequence by default, `null` for none. */
  readonly appendTokenId?: number | null;
  /** Tokens after which a part is closed and written. What is lost by a kill is at most one part. */
  readonly partTokens?: number;
  /** Characters of text handed to the tokenizer in one call. */
  readonly batchCharacters?: number;
  readonly onProgress?: (progress: TokenizeProgress) => void;
}

export interface TokenizeProgress {
  readonly documents: number;
  readonly tokens: number;
  /** Bytes of the input files read, as they lie on the disk, and of all of them. Of this call: a resumed one starts at 0. */
  readonly bytesRead: number;
  readonly totalBytes: number;
}

const DEFAULT_PART_TOKENS = 2 ** 24;
/** So many that all cores stay busy, so few that they hardly count in memory. */
const DEFAULT_BATCH_CHARACTERS = 4_000_000;
const MAX_BATCH_DOCUMENTS = 20_000;
/** Ends of documents are 32-bit numbers inside a part. */
const MAX_PART_TOKENS = 2 ** 30;

/**
 * Tokenizes documents once into a folder of flat id files and returns that folder. Its name is a hash of the tokenizer, the contents of
 * the files and the options: when nothing changed, the folder is there and is used again. The work is done in parts; a killed call is
 * taken up after its last whole part and ends with the same bytes as one that was never stopped. The folder gets its name when complete.
 * Memory: one part and one batch of texts, whatever the size of the corpus.
 */
export async function tokenizeCorpus(options: TokenizeOptions): Promise<string> {
  const files = findInputs(options.paths);
  const part = partOptions(options);
  const { partTokens = DEFAULT_PART_TOKENS, batchCharacters = DEFAULT_BATCH_CHARACTERS } = options;
  if (!(partTokens >= 1 && partTokens <= MAX_PART_TOKENS))
    throw new FieldError("PART_TOKENS", { at: "partTokens", expected: `a number from 1 to ${MAX_PART_TOKENS}`, received: partTokens });
  mkdirSync(options.shardsFolder, { recursive: true });
  const inputHash = createHash("sha256")
    .update(JSON.stringify([1, options.tokenizer.hash, part, await hashInputs(files, join(options.shardsFolder, "inputs.json"))]))
    .update(
      JSON.stringify([options.textField, options.textDocuments, options.maxRecordBytes, options.heldOut, partTokens, batchCharacters]),
    )
    .digest("hex");
  const folder = join(options.shardsFolder, inputHash.slice(0, 16));
  if (existsSync(folder)) {
    readHeader(folder);
    return folder;
  }
  const partial = `${folder}.partial`;
  mkdirSync(partial, { recursive: true });
  const commits = readCommits(partial);
  const limit = await heldOutLimit(options, files, partial);
  await writeParts({ ...options, partTokens, batchCharacters }, part, files, partial, limit, commits);
  writeFileAtomic(join(partial, "header.json"), JSON.stringify(header(options, part, inputHash, commits), undefined, 1));
  for (let i = 0; i < commits.length; i++) rmSync(commitPath(partial, i));
  rmSync(join(partial, "held-out.json"), { force: true });
  for (const name of readdirSync(partial)) if (name.endsWith(".tmp")) rmSync(join(partial, name)); // what a killed call had begun
  if (existsSync(folder)) rmSync(partial, { recursive: true });
  else renameSync(partial, folder);
  syncFolder(options.shardsFolder);
  return folder;
}

async function writeParts(
  options: TokenizeOptions & { readonly partTokens: number; readonly batchCharacters: number },
  part: PartOptions,
  files: readonly InputFile[],
  folder: string,
  limit: number,
  commits: Commit[],
): Promise<void> {
  if (commits.at(-1)?.done === true) return;
  const { tokenizer, onProgress, partTokens } = options;
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  let bytesRead = 0;
  let documents = sumOf(commits, (commit) => commit.parts.train.documents + commit.parts["held-out"].documents);
  let tokens = sumOf(commits, (commit) => commit.parts.train.tokens + commit.parts["held-out"].tokens);

  const open = () => ({
    writers: { train: new PartWriter(part), "held-out": new PartWriter(part) },
    rejections: new Rejections(rejectedPath(folder, commits.length)),
    emptyDocuments: 0,
  });
  let current = open();
  let batch: { text: string; id: string }[] = [];
  let batchCharacters = 0;
  let next = commits.at(-1)?.next ?? { file: 0, record: 0 };

  const encode = () => {
    if (batch.length === 0) return;
    const { ids, offsets } = tokenizer.encodeBatch(batch.map(({ text }) => text));
    for (const [i, { text, id }] of batch.entries()) {
      const [from, to] = [offsets[i]!, offsets[i + 1]!];
      if (from === to) {
        current.emptyDocuments++;
        continue;
      }
      const subset = limit > 0 && heldOutHash(text) < limit ? "held-out" : "train";
      current.writers[subset].add(ids, from, to, Buffer.byteLength(text), `document ${id}`);
      documents++;
    }
    tokens += ids.length;
    batch = [];
    batchCharacters = 0;
    onProgress?.({ documents, tokens, bytesRead, totalBytes });
  };
  const commit = (done: boolean) => {
    current.rejections.close();
    const number = commits.length;
    const entry: Commit = {
      next,
      done,
      emptyDocuments: current.emptyDocuments,
      rejected: current.rejections.counts as Record<string, number>,
      parts: {
        train: current.writers.train.write(folder, "train", number),
        "held-out": current.writers["held-out"].write(folder, "held-out", number),
      },
    };
    writeFileAtomic(commitPath(folder, number), JSON.stringify(entry));
    commits.push(entry);
    current = open();
  };

  const onBytes = (bytes: number) => {
    bytesRead += bytes;
  };
  for await (const { file, records } of readRecords(files, { ...options, onBytes }, next)) {
    if (file !== next.file) next = { file, record: 0 };
    for (const record of records) {
      next = { file, record: next.record + 1 };
      if ("rejection" in record) {
        current.rejections.add(record.rejection);
        continue;
      }
      const { text, id } = record.document;
      batch.push({ text, id });
      batchCharacters += text.length;
      if (batchCharacters < options.batchCharacters && batch.length < MAX_BATCH_DOCUMENTS) continue;
      encode();
      if (current.writers.train.tokens + current.writers["held-out"].tokens >= partTokens) commit(false);
    }
  }
  encode();
  commit(true);
}

/** The commits that are whole, in their order. The first one missing or damaged is where the work goes on. */
function readCommits(folder: string): Commit[] {
  const commits: Commit[] = [];
  for (;;) {
    const path = commitPath(folder, commits.length);
    if (!existsSync(path)) return commits;
    commits.push(commitSchema.parse(JSON.parse(readFileSync(path, "utf8"))));
  }
}

/** Kept beside the parts, because finding it for a number of bytes takes a pass over all texts. */
async function heldOutLimit(options: TokenizeOptions, files: readonly InputFile[], folder: string): Promise<number> {
  const { heldOut } = options;
  if (heldOut === undefined) return 0;
  const path = join(folder, "held-out.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as number;
  const limit = await findHeldOutLimit(heldOut, files, options);
  if ("bytes" in heldOut) writeFileAtomic(path, JSON.stringify(limit));
  return limit;
}

function header(options: TokenizeOptions, part: PartOptions, inputHash: string, commits: readonly Commit[]): ShardHeader {
  const at = options.paths.join(", ");
  const rejected: Record<string, number> = {};
  for (const commit of commits)
    for (const [reason, times] of Object.entries(commit.rejected)) rejected[reason] = (rejected[reason] ?? 0) + times;
  const emptyDocuments = sumOf(commits, (commit) => commit.emptyDocuments);
  const hash = createHash("sha256");
  for (const subset of SUBSETS) for (const { parts } of commits) hash.update(parts[subset].sha256);
  const subsets = { train: commits.map(({ parts }) => parts.train), "held-out": commits.map(({ parts }) => parts["held-out"]) };
  const found = `${emptyDocuments} empty documents and ${sumOf(Object.values(rejected), (times) => times)} broken records`;
  if (sumOf(subsets.train, ({ documents }) => documents) === 0) {
    const all = sumOf(subsets["held-out"], ({ documents }) => documents);
    throw new FieldError("CORPUS_EMPTY", {
      at,
      expected: `at least one document to train on, found ${found}${all > 0 ? `, and all ${all} documents are held out` : ""}`,
      todo: "check the paths and textField, and how much is held out",
    });
  }
  if (options.heldOut !== undefined && sumOf(subsets["held-out"], ({ documents }) => documents) === 0) {
    throw new FieldError("HELD_OUT_EMPTY", {
      at,
      expected: "at least one document to fall into the held-out share",
      received: options.heldOut,
      todo: "hold out a larger share, or a number of bytes",
    });
  }
  return {
    format: "perennial-tokens",
    version: 1,
    hash: hash.digest("hex"),
    inputHash,
    tokenizerHash: options.tokenizer.hash,
    ...part,
    emptyDocuments,
    rejected,
    subsets,
  };
}

function partOptions({ tokenizer, prependTokenId, appendTokenId }: TokenizeOptions): PartOptions {
  const { vocabSize, eosTokenId } = tokenizer;
  if (!Number.isSafeInteger(vocabSize) || vocabSize < 1 || vocabSize > 2 ** 32)
    throw new FieldError("VOCAB_SIZE", { at: "tokenizer.vocabSize", expected: "an integer from 1 to 2^32", received: vocabSize });
  const append = appendTokenId === undefined ? (eosTokenId ?? null) : appendTokenId;
  const prepend = prependTokenId === undefined ? (tokenizer.prependTokenId ?? null) : prependTokenId;
  for (const [at, id] of Object.entries({ appendTokenId: append, prependTokenId: prepend })) {
    if (id !== null && !(Number.isInteger(id) && id >= 0 && id < vocabSize))
      throw new FieldError("TOKEN_ID", { at, expected: `a token id from 0 to ${vocabSize - 1}`, received: id });
  }
  return { vocabSize, dtype: vocabSize <= 65_536 ? "uint16" : "uint32", prependTokenId: prepend, appendTokenId: append };
}

const sumOf = <T>(items: readonly T[], value: (item: T) => number): number => items.reduce((sum, item) => sum + value(item), 0);
