export { NgramModel, type NgramOptions } from "./ngram-model.ts";
export { type Candidate, type SelectionOptions, selectByPerplexity } from "./select-by-perplexity.ts";
