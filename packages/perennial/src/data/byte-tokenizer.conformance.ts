import type { BatchTokenizer } from "./tokenizer.ts";

/** UTF-8 bytes as ids 0–255, 256 ends a document. For tests. */
export function byteTokenizer(extra: Partial<BatchTokenizer> = {}): BatchTokenizer {
  return {
    vocabSize: 257,
    hash: "bytes",
    eosTokenId: 256,
    encodeBatch(texts) {
      const encoded = texts.map((text) => Buffer.from(text));
      const offsets = [0];
      for (const bytes of encoded) offsets.push(offsets.at(-1)! + bytes.length);
      return { ids: Uint32Array.from(Buffer.concat(encoded)), offsets };
    },
    ...extra,
  };
}
