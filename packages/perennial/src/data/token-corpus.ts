import { statSync } from "node:fs";
import { FieldError, PerennialError } from "../errors.ts";
import { FilePool, PagedUint32 } from "./file-pool.ts";
import { type Part, partPath, readHeader, type Subset } from "./shard-header.ts";

/** The tokens of a corpus as one long row, document after document, of which any range can be read. */
export interface TokenCorpus {
  /** Of the tokens; cursors are only good for a corpus with the same hash. */
  readonly hash: string;
  readonly vocabSize: number;
  /** The token that was put before, after each document. */
  readonly prependTokenId: number | null;
  readonly appendTokenId: number | null;
  readonly numTokens: number;
  readonly numDocuments: number;
  /** UTF-8 bytes of all texts. */
  readonly textBytes: number;
  /** Copies the tokens `start .. start + count` to `target[at ..]`. */
  read(start: number, count: number, target: Int32Array, at: number): void;
  /** The document that holds the token at a position. */
  documentAt(position: number): number;
  /** One behind the position of the last token of a document; its first token stands at the end of the document before, or at 0. */
  documentEnd(document: number): number;
  /** UTF-8 bytes of the text of a document. */
  documentBytes(document: number): number;
}

export const documentStart = (corpus: TokenCorpus, document: number): number => (document === 0 ? 0 : corpus.documentEnd(document - 1));

/** Token shards on the disk. Nothing but the range asked for and some pages of the document index are ever in memory. */
export class ShardedCorpus implements TokenCorpus {
  readonly hash: string;
  readonly vocabSize: number;
  readonly prependTokenId: number | null;
  readonly appendTokenId: number | null;
  readonly numTokens: number;
  readonly numDocuments: number;
  readonly textBytes: number;
  private readonly pool = new FilePool();
  private readonly parts: OpenPart[] = [];
  private readonly bytesPerToken: 2 | 4;
  private scratch = new Uint8Array(0);

  private constructor(folder: string, subset: Subset) {
    const header = readHeader(folder);
    this.hash = `${header.hash}/${subset}`;
    this.vocabSize = header.vocabSize;
    this.prependTokenId = header.prependTokenId;
    this.appendTokenId = header.appendTokenId;
    this.bytesPerToken = header.dtype === "uint16" ? 2 : 4;
    let [firstToken, firstDocument, textBytes] = [0, 0, 0];
    for (const [number, part] of header.subsets[subset].entries()) {
      if (part.documents === 0) continue;
      checkSizes(folder, subset, number, part, this.bytesPerToken);
      const ends = new PagedUint32(this.pool, partPath(folder, subset, number, "ends"), part.documents);
      const bytes = new PagedUint32(this.pool, partPath(folder, subset, number, "bytes"), part.documents);
      this.parts.push({ firstToken, firstDocument, ids: partPath(folder, subset, number, "ids"), ends, bytes });
      firstToken += part.tokens;
      firstDocument += part.documents;
      textBytes += part.textBytes;
    }
    this.numTokens = firstToken;
    this.numDocuments = firstDocument;
    this.textBytes = textBytes;
  }

  /** Opens a folder that `tokenizeCorpus` returned. The sizes of all files are checked here. */
  static open(folder: string, subset: Subset = "train"): ShardedCorpus {
    const corpus = new ShardedCorpus(folder, subset);
    if (corpus.numDocuments > 0) return corpus;
    throw new FieldError("CORPUS_EMPTY", { at: `${folder} ${subset}`, expected: "at least one document" });
  }

  read(start: number, count: number, target: Int32Array, at: number): void {
    if (start < 0 || start + count > this.numTokens)
      throw new RangeError(`tokens ${start} to ${start + count} of a corpus of ${this.numTokens}`);
    const width = this.bytesPerToken;
    if (this.scratch.length < count * width) this.scratch = new Uint8Array(count * width);
    for (let done = 0, part = this.partOfToken(start); done < count; part++) {
      const { firstToken, ids } = this.parts[part]!;
      const partEnd = this.parts[part + 1]?.firstToken ?? this.numTokens;
      const here = Math.min(count - done, partEnd - (start + done));
      this.pool.read(ids, this.scratch.subarray(0, here * width), (start + done - firstToken) * width);
      target.set(new (width === 2 ? Uint16Array : Uint32Array)(this.scratch.buffer, 0, here), at + done);
      done += here;
    }
  }

  documentAt(position: number): number {
    const { firstToken, firstDocument, ends } = this.parts[this.partOfToken(position)]!;
    return firstDocument + ends.firstAbove(position - firstToken);
  }

  documentEnd(document: number): number {
    const { firstToken, firstDocument, ends } = this.parts[this.partOfDocument(document)]!;
    return firstToken + ends.at(document - firstDocument);
  }

  documentBytes(document: number): number {
    const { firstDocument, bytes } = this.parts[this.partOfDocument(document)]!;
    return bytes.at(document - firstDocument);
  }

  close(): void {
    this.pool.close();
  }

  private partOfToken(position: number): number {
    return lastNotAbove(this.parts, (part) => part.firstToken, position);
  }

  private partOfDocument(document: number): number {
    return lastNotAbove(this.parts, (part) => part.firstDocument, document);
  }
}

interface OpenPart {
  readonly firstToken: number;
  readonly firstDocument: number;
  readonly ids: string;
  /** Relative to the part. */
  readonly ends: PagedUint32;
  readonly bytes: PagedUint32;
}

function lastNotAbove(parts: readonly OpenPart[], key: (part: OpenPart) => number, value: number): number {
  let low = 0;
  let high = parts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (key(parts[middle]!) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

function checkSizes(folder: string, subset: Subset, number: number, part: Part, bytesPerToken: number): void {
  const expected = { ids: part.tokens * bytesPerToken, ends: part.documents * 4, bytes: part.documents * 4 };
  for (const [kind, size] of Object.entries(expected)) {
    const path = partPath(folder, subset, number, kind as keyof typeof expected);
    const found = statSync(path, { throwIfNoEntry: false })?.size;
    if (found === size) continue;
    const what = found === undefined ? "is missing" : `has ${found} bytes, ${size} were written`;
    throw new PerennialError("SHARDS_UNREADABLE", `${path}: ${what}. Delete the folder ${folder}, it will be made again.`);
  }
}

/** A corpus in memory, for small texts and tests. */
export class MemoryCorpus implements TokenCorpus {
  readonly hash: string;
  readonly vocabSize: number;
  readonly prependTokenId: number | null;
  readonly appendTokenId: number | null;
  readonly numTokens: number;
  readonly numDocuments: number;
  readonly textBytes: number;
  private readonly ids: Int32Array;
  private readonly ends: readonly number[];
  private readonly bytes: readonly number[];

  constructor(documents: readonly ArrayLike<number>[], options: MemoryCorpusOptions = {}) {
    this.hash = options.hash ?? "memory";
    this.vocabSize = options.vocabSize ?? 65_536;
    this.prependTokenId = options.prependTokenId ?? null;
    this.appendTokenId = options.appendTokenId ?? null;
    this.numDocuments = documents.length;
    this.numTokens = documents.reduce((sum, document) => sum + document.length, 0);
    this.ids = new Int32Array(this.numTokens);
    let end = 0;
    this.ends = documents.map((document) => {
      this.ids.set(document, end);
      end += document.length;
      return end;
    });
    this.bytes = options.bytes ?? documents.map((document) => document.length);
    this.textBytes = this.bytes.reduce((sum, count) => sum + count, 0);
  }

  read(start: number, count: number, target: Int32Array, at: number): void {
    if (start < 0 || start + count > this.numTokens)
      throw new RangeError(`tokens ${start} to ${start + count} of a corpus of ${this.numTokens}`);
    target.set(this.ids.subarray(start, start + count), at);
  }

  documentAt(position: number): number {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ends[middle]! > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  documentEnd(document: number): number {
    return this.ends[document]!;
  }

  documentBytes(document: number): number {
    return this.bytes[document]!;
  }
}

export interface MemoryCorpusOptions {
  readonly hash?: string;
  readonly vocabSize?: number;
  /** Of the texts; a byte a token by default. */
  readonly bytes?: readonly number[];
  /** Say which token stands at the start and end of every document, if any does. */
  readonly prependTokenId?: number;
  readonly appendTokenId?: number;
}
