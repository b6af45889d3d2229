export { type AffinityOptions, affinityTokens, affinityWords, countWords } from "./affinity.ts";
export { contamination, expectedPrecision, MIN_CONTAMINATION, precision, precisionSchema } from "./precision-filter.ts";
