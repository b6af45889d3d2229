import { createHash } from "node:crypto";
import { writeFileAtomic } from "../corpus/formats/index.ts";
import { FieldError } from "../errors.ts";
import { type Part, partPath, type Subset } from "./shard-header.ts";

export interface PartOptions {
  readonly vocabSize: number;
  readonly dtype: "uint16" | "uint32";
  readonly prependTokenId: number | null;
  readonly appendTokenId: number | null;
}

/** Collects the documents of one part in memory and writes its files at once: no file is ever half a part. */
export class PartWriter {
  tokens = 0;
  private ids: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  private readonly ends: number[] = [];
  private readonly bytes: number[] = [];
  private textBytes = 0;
  private readonly options: PartOptions;

  constructor(options: PartOptions) {
    this.options = options;
    this.ids = new (options.dtype === "uint16" ? Uint16Array : Uint32Array)(1 << 16);
  }

  /** `ids[from .. to)` are the tokens of a text of `textBytes` bytes; `where` names it in an error. */
  add(ids: Uint32Array | Int32Array, from: number, to: number, textBytes: number, where: string): void {
    const { vocabSize, prependTokenId, appendTokenId } = this.options;
    this.reserve(to - from + 2);
    const target = this.ids;
    let at = this.tokens;
    if (prependTokenId !== null) target[at++] = prependTokenId;
    let highest = 0;
    for (let i = from; i < to; i++) {
      const id = ids[i]! >>> 0; // a negative id becomes a very high one
      if (id > highest) highest = id;
      target[at++] = id;
    }
    if (highest >= vocabSize) {
      throw new FieldError("TOKEN_ID", {
        at: where,
        expected: `token ids from 0 to ${vocabSize - 1}, the size of the vocabulary less one`,
        received: ids.subarray(from, to).find((id) => id >>> 0 === highest),
        todo: "check that the tokenizer states its own vocabulary size, added tokens included",
      });
    }
    if (appendTokenId !== null) target[at++] = appendTokenId;
    this.tokens = at;
    this.ends.push(this.tokens);
    this.bytes.push(textBytes);
    this.textBytes += textBytes;
  }

  write(folder: string, subset: Subset, part: number): Part {
    const hash = createHash("sha256");
    const files = {
      ids: this.ids.subarray(0, this.tokens),
      ends: Uint32Array.from(this.ends),
      bytes: Uint32Array.from(this.bytes),
    };
    for (const [kind, array] of Object.entries(files)) {
      const content = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      hash.update(`${kind} ${content.length}\n`).update(content);
      if (this.ends.length > 0) writeFileAtomic(partPath(folder, subset, part, kind as keyof typeof files), content);
    }
    return { documents: this.ends.length, tokens: this.tokens, textBytes: this.textBytes, sha256: hash.digest("hex") };
  }

  private reserve(more: number): void {
    if (this.tokens + more <= this.ids.length) return;
    const larger = new (this.ids.constructor as typeof Uint16Array)(Math.max(2 * this.ids.length, this.tokens + more));
    larger.set(this.ids.subarray(0, this.tokens));
    this.ids = larger;
  }
}
