/** Tokenizers in the metadata of GGUF files. */
export { readGgufTokenizer } from "./read.ts";
export { tokenizerEntries } from "./write.ts";
