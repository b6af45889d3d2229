/** GPT-2 of 124 M parameters, and the batch that llm.c's CPU trainer has built in. */
export const gpt2 = {
  vocabSize: 50_257,
  paddedVocabSize: 50_304,
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  maxPositionEmbeddings: 1024,
  batchSize: 4,
  sequenceLength: 64,
} as const;
