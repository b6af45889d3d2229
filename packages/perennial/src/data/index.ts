export { estimateTokens, type TokenEstimate } from "./estimate-tokens.ts";
export { type HeldOut, heldOutHash, heldOutTest } from "./held-out.ts";
export { readHeader, type ShardHeader, type Subset } from "./shard-header.ts";
export { documentStart, MemoryCorpus, type MemoryCorpusOptions, ShardedCorpus, type TokenCorpus } from "./token-corpus.ts";
export { type TokenizeOptions, type TokenizeProgress, tokenizeCorpus } from "./tokenize-corpus.ts";
export { type BatchTokenizer, batchTokenizerOf } from "./tokenizer.ts";
