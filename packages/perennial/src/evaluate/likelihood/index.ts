export * from "./bits-per-byte.ts";
export * from "./continuation.ts";
export * from "./document-likelihood.ts";
export * from "./perplexity.ts";
