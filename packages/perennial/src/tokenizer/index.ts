export { ByteTokenizer } from "./byte-tokenizer.ts";
export { type Changes, compareTokenizers, type ExtendedTokenizer, type ExtendTokenizerOptions, extendTokenizer } from "./extend.ts";
export { type Fertility, fertility, parity } from "./fertility.ts";
export { JsonTokenizer } from "./json-tokenizer.ts";
export { loadTokenizer } from "./load.ts";
export type { EncodedBatch, Text } from "./native.ts";
export { openTokenizerOf } from "./open.ts";
export { type DecodeOptions, DecodeStream, type EncodeOptions, type SpecialTokens, type Tokenizer } from "./tokenizer.ts";
export { type PreTokenization, type TrainedTokenizer, type TrainTokenizerOptions, trainTokenizer } from "./train.ts";
