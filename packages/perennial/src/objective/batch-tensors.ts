// B sequences · T tokens
import { type Tensor, tensor } from "@perennial/torch";
import type { Batch } from "../mixture/source.ts";

export interface BatchTensors {
  readonly inputIds: Tensor; // [B,T] int64
  readonly labels: Tensor; // [B,T] int64
  /** [B,T] int64; undefined when every row counts 0 … T − 1. */
  readonly positionIds: Tensor | undefined;
  /** [B,T] int64; undefined when every row is one document. */
  readonly documentIds: Tensor | undefined;
}

/** The arrays of a batch as tensors. Plain rows leave out what the model assumes anyway, and take its faster path. */
export function batchTensors(batch: Batch): BatchTensors {
  const shape = [batch.batchSize, batch.sequenceLength];
  const ids = (array: Int32Array) => tensor(array, { shape, dtype: "int64" });
  const packed = batch.documentIds.some((id, i) => id !== batch.documentIds[i - (i % batch.sequenceLength)]);
  const plain = batch.positionIds.every((position, i) => position === i % batch.sequenceLength);
  return {
    inputIds: ids(batch.inputIds),
    labels: ids(batch.labels),
    positionIds: plain ? undefined : ids(batch.positionIds),
    documentIds: packed ? ids(batch.documentIds) : undefined,
  };
}
