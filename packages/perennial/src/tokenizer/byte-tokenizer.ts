/**
 * Bytes as tokens (specification `monobyte`, as ByT5): id = byte + 3; pad 0, eos 1, unk 2; 259 ids, no vocabulary to fit.
 * UTF-8 as it stands, no normalization. Decoding drops ids below 3 and replaces ill-formed UTF-8 by U+FFFD.
 * Sentinels of span corruption reuse the highest ids, counting down: sentinel(1) = 258; the first 11 never occur in valid UTF-8.
 * `addSpecialTokens` puts eos behind the text. There is no text that spells a special token.
 * Unlike the other tokenizers, byte input is taken as it is, well-formed or not: every byte has an id.
 */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FieldError } from "../errors.ts";
import { decodeUtf8 } from "./decoder.ts";
import type { EncodedBatch, Text } from "./native.ts";
import type { DecodeOptions, EncodeOptions, SpecialTokens, Tokenizer } from "./tokenizer.ts";

const OFFSET = 3;
const NAMES = ["<pad>", "</s>", "<unk>"] as const;
const [PAD, EOS, UNK] = [0, 1, 2] as const;

/** What the folder of a byte-level model holds in place of a tokenizer.json; `transformers` reads it as ByT5's. */
/** How tokenizer_config.json names it; `transformers` has the same tokenizer under this name. */
export const BYTE_TOKENIZER_CLASS = "ByT5Tokenizer";

const CONFIG = `${JSON.stringify(
  {
    tokenizer_class: BYTE_TOKENIZER_CLASS,
    extra_ids: 0,
    additional_special_tokens: [],
    pad_token: "<pad>",
    eos_token: "</s>",
    unk_token: "<unk>",
  },
  undefined,
  2,
)}\n`;

export class ByteTokenizer implements Tokenizer {
  readonly vocabSize = 256 + OFFSET;
  readonly specialTokens: SpecialTokens = { bos: undefined, eos: EOS, pad: PAD, unk: UNK };
  readonly endIds: readonly number[] = [EOS];
  readonly hash: string = createHash("sha256").update("bytes: id = byte + 3, pad 0, eos 1, unk 2").digest("hex");

  encode(text: Text, { addSpecialTokens = true }: EncodeOptions = {}): Int32Array {
    const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
    const ids = new Int32Array(bytes.length + (addSpecialTokens ? 1 : 0));
    this.fill(ids, 0, bytes, addSpecialTokens);
    return ids;
  }

  encodeBatch(texts: readonly Text[], { addSpecialTokens = true }: EncodeOptions = {}): EncodedBatch {
    const all = texts.map((text) => (typeof text === "string" ? Buffer.from(text, "utf8") : text));
    const offsets = new Float64Array(all.length + 1);
    all.forEach((bytes, i) => {
      offsets[i + 1] = offsets[i]! + bytes.length + (addSpecialTokens ? 1 : 0);
    });
    const ids = new Int32Array(offsets[all.length]!);
    all.forEach((bytes, i) => {
      this.fill(ids, offsets[i]!, bytes, addSpecialTokens);
    });
    return { ids, offsets };
  }

  async encodeBatchAsync(texts: readonly Text[], options: EncodeOptions = {}): Promise<EncodedBatch> {
    return this.encodeBatch(texts, options); // a copy with an addition: not worth a thread
  }

  decode(ids: Iterable<number>, _options: DecodeOptions = {}): string {
    return decodeUtf8(
      Uint8Array.from(
        [...ids].filter((id) => id >= OFFSET && id < this.vocabSize),
        (id) => id - OFFSET,
      ),
    );
  }

  /** The sentinel of the i-th span (from 1): 258, 257, … */
  sentinel(i: number): number {
    if (!Number.isInteger(i) || i < 1 || i > 256)
      throw new FieldError("TOKENIZER_SENTINEL", { at: "sentinel", expected: "a number from 1 to 256", received: i });
    return this.vocabSize - i;
  }

  tokenToId(token: string): number | undefined {
    const special = NAMES.indexOf(token as (typeof NAMES)[number]);
    if (special >= 0) return special;
    const byte = token.codePointAt(0);
    return token.length === 1 && byte !== undefined && byte < 256 ? byte + OFFSET : undefined;
  }

  /** As in ByT5: the character with the number of the byte. */
  idToToken(id: number): string | undefined {
    if (!Number.isInteger(id) || id < 0 || id >= this.vocabSize) return undefined;
    return NAMES[id] ?? String.fromCharCode(id - OFFSET);
  }

  async save(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "tokenizer_config.json"), CONFIG);
  }

  private fill(ids: Int32Array, at: number, bytes: Uint8Array, addEos: boolean): void {
    for (let i = 0; i < bytes.length; i++) ids[at + i] = bytes[i]! + OFFSET;
    if (addEos) ids[at + bytes.length] = EOS;
  }
}
