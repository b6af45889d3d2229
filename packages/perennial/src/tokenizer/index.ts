export { BYTE_TOKENIZER_CLASS, ByteTokenizer } from "./byte-tokenizer.ts";
export { type ChangeExample, type Changes, compareTokenizers, readable } from "./changes.ts";
export {
  type ChatMessage,
  type ChatOptions,
  ChatTemplate,
  loadChatTemplate,
  readMessages,
} from "./chat/index.ts";
export {
  type ExtendedTokenizer,
  type ExtendTokenizerOptions,
  type ExtensionTexts,
  extendTokenizer,
  readForExtension,
} from "./extend.ts";
export { type Extension, extensionOf } from "./extension-file.ts";
export { type Fertility, FertilityMeter, fertility, parity } from "./fertility.ts";
export { readGgufTokenizer, tokenizerEntries } from "./gguf/index.ts";
export { JsonTokenizer } from "./json-tokenizer.ts";
export { loadTokenizer, TOKENIZER_FILES } from "./load.ts";
export type { EncodedBatch, Text, WordStatistics } from "./native.ts";
export { openTokenizerOf } from "./open.ts";
export { promptIds } from "./prompt.ts";
export { type DecodeOptions, DecodeStream, type EncodeOptions, type SpecialTokens, type Tokenizer } from "./tokenizer.ts";
export { type PreTokenization, type TrainedTokenizer, type TrainTokenizerOptions, trainTokenizer } from "./train.ts";
export { type TrainUnigramOptions, trainUnigramTokenizer } from "./train-unigram.ts";
