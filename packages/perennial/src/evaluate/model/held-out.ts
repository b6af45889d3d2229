// B sequences · T tokens · V vocabSize
import { autocast, type Dtype, nn, noGrad, scope, torch } from "@perennial/torch";
import type { TokenCorpus } from "../../data/token-corpus.ts";
import { evaluationBatches } from "../../mixture/rolling-windows.ts";
import type { Decoder } from "../../model/decoder.ts";
import { sentTo } from "../../model/device.ts";
import { batchTensors } from "../../objective/batch-tensors.ts";
import { bootstrapRatio } from "../significance/bootstrap.ts";

export interface HeldOutOptions {
  readonly sequenceLength: number;
  readonly batchSize: number;
  /** Stop after the document with which this many tokens are reached. */
  readonly maxTokens?: number;
  /** Before the first token of a document; without it nothing predicts that token. */
  readonly prefixTokenId?: number | undefined;
  readonly autocastDtype?: Dtype;
  /** Resamples over documents for the 95 % interval; 0: none. */
  readonly bootstrapResamples?: number;
}

export interface HeldOutResult {
  /** Nats, over all targets. */
  readonly lossSum: number;
  readonly targetTokens: number;
  /** UTF-8 bytes of the documents. */
  readonly bytes: number;
  readonly documents: number;
  /** Nats per target token. */
  readonly loss: number;
  /** lossSum / (ln 2 · bytes): comparable between vocabularies. */
  readonly bitsPerByte: number;
  /** Bounds of the 95 % interval of bitsPerByte; not-a-number without resamples. */
  readonly low: number;
  readonly high: number;
  /** By document: nats and bytes, for paired comparisons. */
  readonly byDocument: readonly { readonly lossSum: number; readonly bytes: number }[];
}

/** Likelihood of held-out documents, every token predicted once (windows of lm-eval's rolling likelihood). */
export function evaluateHeldOut(model: Decoder, corpus: TokenCorpus, options: HeldOutOptions): HeldOutResult {
  const sums: number[] = [];
  let targetTokens = 0;
  const batches = evaluationBatches(corpus, {
    sequenceLength: options.sequenceLength,
    batchSize: options.batchSize,
    maxDocuments: documentsWithin(corpus, options.maxTokens),
    ...(options.prefixTokenId === undefined ? {} : { prefixTokenId: options.prefixTokenId }),
  });
  const wasTraining = model.training;
  model.eval();
  for (const { batch, segments } of batches) {
    const losses = tokenLosses(model, batch, options.autocastDtype ?? "float32");
    for (const { document, row, firstTarget, end } of segments) {
      let sum = 0;
      for (let t = firstTarget; t < end; t++) sum += losses[row * batch.sequenceLength + t]!;
      sums[document] = (sums[document] ?? 0) + sum;
    }
    targetTokens += batch.targetTokens;
  }
  model.train(wasTraining);
  const byDocument = Array.from(sums, (sum, document) => ({ lossSum: sum ?? 0, bytes: corpus.documentBytes(document) }));
  const lossSum = byDocument.reduce((sum, document) => sum + document.lossSum, 0);
  const bytes = byDocument.reduce((sum, document) => sum + document.bytes, 0);
  const bits = byDocument.map((document) => document.lossSum / Math.LN2);
  const resamples = options.bootstrapResamples ?? 0;
  const sizes = byDocument.map((document) => document.bytes);
  const { low, high } = resamples === 0 ? { low: Number.NaN, high: Number.NaN } : bootstrapRatio(bits, sizes, { resamples });
  return {
    lossSum,
    targetTokens,
    bytes,
    documents: byDocument.length,
    loss: lossSum / targetTokens,
    bitsPerByte: lossSum / (Math.LN2 * bytes),
    low,
    high,
    byDocument,
  };
}

/** [B·T] nats per position, 0 where the label does not count. */
function tokenLosses(model: Decoder, batch: Parameters<typeof batchTensors>[0], autocastDtype: Dtype): Float32Array {
  return noGrad(() =>
    scope(() => {
      const { inputIds, labels, positionIds, documentIds } = batchTensors(batch);
      const logits = autocast({ device: model.device, dtype: autocastDtype, enabled: autocastDtype !== "float32" }, () =>
        model.logits({ inputIds, positionIds, documentIds }),
      );
      return nn
        .crossEntropy(torch.flatten(logits.float(), 0, 1), sentTo(labels.view([-1]), model.device), { reduction: "none" })
        .toFloat32Array();
    }),
  );
}

function documentsWithin(corpus: TokenCorpus, maxTokens = Number.POSITIVE_INFINITY): number {
  let low = 0;
  let high = corpus.numDocuments;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (corpus.documentEnd(middle) < maxTokens) low = middle + 1;
    else high = middle;
  }
  return Math.min(low + 1, corpus.numDocuments); // the document in which the limit is reached counts whole
}
