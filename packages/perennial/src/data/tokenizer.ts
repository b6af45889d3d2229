import type { Tokenizer } from "../tokenizer/index.ts";

/** What token shards need of a tokenizer. */
export interface BatchTokenizer {
  readonly vocabSize: number;
  /** Of everything that decides about the ids. */
  readonly hash: string;
  /** Put before each document, where the tokenizer's own template begins with one. */
  readonly prependTokenId?: number;
  /** Put after each document. */
  readonly eosTokenId?: number;
  /** The texts alone, without the tokens around a document. All in one call, so that the tokenizer can use every core. The ids of text i are `ids[offsets[i] .. offsets[i + 1])`. */
  encodeBatch(texts: readonly string[]): { readonly ids: Uint32Array | Int32Array; readonly offsets: ArrayLike<number> };
}

/** Documents as this tokenizer's template begins them (a start token or none), each ended by its end token, once. */
export function batchTokenizerOf(tokenizer: Tokenizer): BatchTokenizer {
  const { vocabSize, hash, specialTokens } = tokenizer;
  const { eos } = specialTokens;
  // Of nothing only the template is left.
  const [first] = tokenizer.encode("");
  return {
    vocabSize,
    hash,
    ...(first === undefined || first === eos ? {} : { prependTokenId: first }),
    ...(eos === undefined ? {} : { eosTokenId: eos }),
    encodeBatch: (texts) => tokenizer.encodeBatch(texts, { addSpecialTokens: false }),
  };
}
