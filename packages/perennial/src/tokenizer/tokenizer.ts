/**
 * Text ↔ token ids. Text is a string or UTF-8 bytes; what is not valid Unicode (a lone surrogate, an ill-formed byte
 * sequence) is read as U+FFFD, one for each maximal ill-formed part, as the reference does with `errors="replace"`.
 */
import type { EncodedBatch, Text } from "./native.ts";

export interface EncodeOptions {
  /** Put the special tokens around the text that the tokenizer's post-processor adds. */
  readonly addSpecialTokens?: boolean;
  /** Treat text that spells a special token as plain text, so that data cannot forge one. */
  readonly splitSpecialTokens?: boolean;
  /** Of a batch; as many as there are cores when not given. */
  readonly threads?: number;
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean;
}

/** Ids of the tokens with a role; undefined where the model has none. */
export interface SpecialTokens {
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly pad: number | undefined;
  readonly unk: number | undefined;
}

export interface Tokenizer {
  /** The largest id + 1: rows that an embedding table needs. */
  readonly vocabSize: number;
  readonly specialTokens: SpecialTokens;
  /** Ids that end a generation: eos and, for chat models, the end of a turn. */
  readonly endIds: readonly number[];
  /** Hexadecimal SHA-256 of what decides the ids: equal hashes, equal ids. */
  readonly hash: string;
  encode(text: Text, options?: EncodeOptions): Int32Array;
  encodeBatch(texts: readonly Text[], options?: EncodeOptions): EncodedBatch;
  /** Like `encodeBatch`, on other threads, with the event loop free. */
  encodeBatchAsync(texts: readonly Text[], options?: EncodeOptions): Promise<EncodedBatch>;
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  tokenToId(token: string): number | undefined;
  idToToken(id: number): string | undefined;
  /** Writes the tokenizer's files into a model folder, byte for byte as they were read. */
  save(folder: string): Promise<void>;
}

/** Text of ids that come one after another, as in generation: holds back what a later id may still change. */
export class DecodeStream {
  private readonly tokenizer: Pick<Tokenizer, "decode">;
  private readonly options: DecodeOptions;
  private ids: number[] = [];
  private shown = ""; // the text of the first `shownIds` ids, given out already
  private shownIds = 0;

  constructor(tokenizer: Pick<Tokenizer, "decode">, options: DecodeOptions = {}) {
    this.tokenizer = tokenizer;
    this.options = options;
  }

  /** The text that this id completes; often "" inside a character of several bytes. */
  push(id: number): string {
    this.ids.push(id);
    const text = this.tokenizer.decode(this.ids, this.options);
    if (text.length <= this.shown.length || text.endsWith("\ufffd")) return "";
    const fresh = text.slice(this.shown.length);
    // The ids before stay as context: a first token may decode differently (a word's leading space).
    this.ids = this.ids.slice(this.shownIds);
    this.shown = this.tokenizer.decode(this.ids, this.options);
    this.shownIds = this.ids.length;
    return fresh;
  }

  /** What is still held back, incomplete characters as U+FFFD. */
  end(): string {
    const rest = this.tokenizer.decode(this.ids, this.options).slice(this.shown.length);
    this.ids = [];
    this.shown = "";
    this.shownIds = 0;
    return rest;
  }
}
