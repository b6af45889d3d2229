import { gzipSync } from "node:zlib";
import { FieldError } from "../../errors.ts";
import type { Document } from "../document.ts";
import { AtomicFile } from "./atomic.ts";
import { type Compress, zstdCompressor } from "./zstd.ts";

const FRAME_BYTES = 1 << 20;

/**
 * Writes documents as `.jsonl`, `.jsonl.gz` or `.jsonl.zst`. About every MiB of text is a gzip member or zstd frame of its own, so that
 * parts can be fetched. The file appears at `close`, complete, or not at all.
 */
export class JsonlWriter {
  documents = 0;
  private readonly file: AtomicFile;
  private readonly compress: Compress;
  private lines: string[] = [];
  private pendingCharacters = 0;

  private constructor(path: string, compress: Compress) {
    this.file = new AtomicFile(path);
    this.compress = compress;
  }

  static async open(path: string): Promise<JsonlWriter> {
    const [, ending] = /\.(?:jsonl|ndjson)(\.gz|\.zst)?$/.exec(path) ?? ["", "unknown"];
    if (ending === "unknown") {
      throw new FieldError("UNKNOWN_FORMAT", { at: path, expected: "a path with the ending .jsonl, .jsonl.gz or .jsonl.zst" });
    }
    return new JsonlWriter(path, ending === ".gz" ? gzip : ending === ".zst" ? await zstdCompressor() : (bytes) => bytes);
  }

  /** A document, or any other record with an id. */
  write<Record extends { readonly id: string }>(document: Record): void {
    const line = JSON.stringify(document);
    this.lines.push(line, "\n");
    this.pendingCharacters += line.length;
    this.documents++;
    if (this.pendingCharacters >= FRAME_BYTES) this.flush();
  }

  close(): void {
    try {
      this.flush();
      this.file.close();
    } catch (error) {
      this.file.discard();
      throw error;
    }
  }

  /** Leaves what was at the path before. */
  discard(): void {
    this.file.discard();
  }

  private flush(): void {
    if (this.lines.length > 0) this.file.write(this.compress(Buffer.from(this.lines.join(""))));
    this.lines = [];
    this.pendingCharacters = 0;
  }
}

/** Writes all documents to one file and returns their number. */
export async function writeJsonl(path: string, documents: AsyncIterable<Document> | Iterable<Document>): Promise<number> {
  const writer = await JsonlWriter.open(path);
  try {
    for await (const document of documents) writer.write(document);
  } catch (error) {
    writer.discard();
    throw error;
  }
  writer.close();
  return writer.documents;
}

const gzip: Compress = (bytes) => gzipSync(bytes);
