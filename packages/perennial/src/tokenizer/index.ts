export { JsonTokenizer } from "./json-tokenizer.ts";
export { loadTokenizer } from "./load.ts";
export type { EncodedBatch, Text } from "./native.ts";
export { type DecodeOptions, DecodeStream, type EncodeOptions, type SpecialTokens, type Tokenizer } from "./tokenizer.ts";
