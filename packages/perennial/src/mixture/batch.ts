import type { Batch } from "./source.ts";

// B sequences in a batch · T tokens in a sequence

export const IGNORED = -100;

/** A batch that is being filled, row by row. */
export class BatchBuilder {
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly inputIds: Int32Array; // [B,T]
  readonly labels: Int32Array; // [B,T]
  readonly positionIds: Int32Array; // [B,T]
  readonly documentIds: Int32Array; // [B,T]
  private targetTokens = 0;
  private readonly targetTokensBySource: Record<string, number> = {};

  /** Every row is ignored until it is filled. */
  constructor(batchSize: number, sequenceLength: number) {
    this.batchSize = batchSize;
    this.sequenceLength = sequenceLength;
    const size = batchSize * sequenceLength;
    this.inputIds = new Int32Array(size);
    this.labels = new Int32Array(size).fill(IGNORED);
    this.positionIds = new Int32Array(size);
    this.documentIds = new Int32Array(size);
    for (let i = 0; i < size; i++) this.positionIds[i] = i % sequenceLength;
  }

  count(source: string, targetTokens: number): void {
    this.targetTokens += targetTokens;
    this.targetTokensBySource[source] = (this.targetTokensBySource[source] ?? 0) + targetTokens;
  }

  /** The batch; the arrays are handed over, not copied. */
  finish(): Batch {
    const { batchSize, sequenceLength, inputIds, labels, positionIds, documentIds, targetTokens, targetTokensBySource } = this;
    return { batchSize, sequenceLength, inputIds, labels, positionIds, documentIds, targetTokens, targetTokensBySource };
  }

  /** Fills [at, end) with positions 0, 1, … and one document number. */
  span(at: number, end: number, documentId: number): void {
    for (let i = at; i < end; i++) this.positionIds[i] = i - at;
    this.documentIds.fill(documentId, at, end);
  }
}
