export * from "./bleu.ts";
export { type BleuTokenizer, bleuTokenizers } from "./bleu-tokenizers.ts";
export * from "./chrf.ts";
export { type CorpusMetric, corpusStatistics, numReferences, type SignatureContext, scoreCorpus, sumStatistics } from "./corpus-metric.ts";
