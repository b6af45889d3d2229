// B sequences in a micro-batch · T tokens in a sequence. All arrays are row-major [B,T].

/** One micro-batch of token ids, packed: every position holds a real token unless its label says otherwise. */
export interface Batch {
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** [B,T] token ids. */
  readonly inputIds: Int32Array;
  /** [B,T] the token to be predicted at each position (already shifted: the successor of `inputIds`), −100 = ignored. */
  readonly labels: Int32Array;
  /** [B,T] position for the positional encoding; restarts at 0 with every document when attention stays inside documents. */
  readonly positionIds: Int32Array;
  /** [B,T] document number inside the row, ascending; a position attends to earlier positions with the same number. */
  readonly documentIds: Int32Array;
  /** Labels that count, over the whole micro-batch. */
  readonly targetTokens: number;
  /** Target tokens by source name, summing to `targetTokens`. */
  readonly targetTokensBySource: Readonly<Record<string, number>>;
}

/** Plain JSON: cursors, shares, positions of the random streams. */
export type SourceState = { readonly [key: string]: unknown };

/** Which tokens next? The same state always gives the same batches. */
export interface Source {
  /** The next micro-batches. Throws a `PerennialError` with code `SOURCE_EXHAUSTED` when the epoch caps leave nothing to sample. */
  next(microBatches: number): Batch[];
  /** Told after every step; loss in nats per token. Only sources that learn need it. */
  observe?(step: number, lossBySource: ReadonlyMap<string, number>): void;
  state(): SourceState;
  restore(state: SourceState): void;
}
