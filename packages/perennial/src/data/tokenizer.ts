import type { Tokenizer } from "../tokenizer/index.ts";

/** What token shards need of a tokenizer. */
export interface BatchTokenizer {
  readonly vocabSize: number;
  /** Of everything that decides about the ids. */
  readonly hash: string;
  readonly eosTokenId?: number;
  /** All texts in one call, so that the tokenizer can use every core. The ids of text i are `ids[offsets[i] .. offsets[i + 1])`. */
  encodeBatch(texts: readonly string[]): { readonly ids: Uint32Array | Int32Array; readonly offsets: ArrayLike<number> };
}

export function batchTokenizerOf(tokenizer: Tokenizer): BatchTokenizer {
  const { vocabSize, hash, specialTokens } = tokenizer;
  return {
    vocabSize,
    hash,
    ...(specialTokens.eos === undefined ? {} : { eosTokenId: specialTokens.eos }),
    encodeBatch: (texts) => tokenizer.encodeBatch(texts),
  };
}
