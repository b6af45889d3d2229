/** The decoders of the benchmark: what the peer builds from the same numbers. */
interface Shape {
  readonly config: {
    readonly vocabSize: number;
    readonly hiddenSize: number;
    readonly intermediateSize: number;
    readonly numHiddenLayers: number;
    readonly numAttentionHeads: number;
    readonly tieWordEmbeddings: true;
    readonly maxPositionEmbeddings: number;
  };
  readonly batchSize: number;
  readonly sequenceLength: number;
}

const shape = (
  vocabSize: number,
  hiddenSize: number,
  intermediateSize: number,
  numHiddenLayers: number,
  numAttentionHeads: number,
  sequenceLength: number,
): Shape => ({
  config: {
    vocabSize,
    hiddenSize,
    intermediateSize,
    numHiddenLayers,
    numAttentionHeads,
    tieWordEmbeddings: true,
    maxPositionEmbeddings: sequenceLength,
  },
  batchSize: 8,
  sequenceLength,
});

export const shapes: Readonly<Record<string, Shape>> = {
  "7M": shape(8192, 256, 688, 6, 4, 256),
  "25M": shape(16384, 384, 1024, 8, 6, 512),
  "110M": shape(32000, 768, 2048, 12, 12, 512),
};
