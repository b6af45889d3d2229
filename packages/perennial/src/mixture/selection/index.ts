export { NgramModel, type NgramOptions } from "./ngram-model.ts";
export { type Candidate, type SelectionOptions, selectByPerplexity } from "./select-by-perplexity.ts";
export { type SelectedFiles, type SelectFilesOptions, selectFiles } from "./select-files.ts";
