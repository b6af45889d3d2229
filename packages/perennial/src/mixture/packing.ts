import type { TokenCorpus } from "../data/index.ts";
import type { BatchBuilder } from "./batch.ts";
import { packBestFit } from "./packing-best-fit.ts";
import { packConcatenated } from "./packing-concatenate.ts";

/** Whether a token sees only its own document (positions restart with each) or everything before it in the sequence. */
export type Attention = "within-documents" | "across-documents";

export interface PackingOptions {
  /** T, tokens in a sequence. */
  readonly sequenceLength: number;
  readonly attention?: Attention;
  /** `concatenate`: one long row of documents, cut every T tokens. `best-fit`: fewer documents are cut, at the price of some padding. */
  readonly packing?: "concatenate" | "best-fit";
}

/** What a sequence holds. */
export interface SequenceCounts {
  /** Documents that begin in it. */
  readonly documents: number;
  /** Positions with a token of the corpus. */
  readonly tokens: number;
  /** Labels that count. */
  readonly targetTokens: number;
}

/** A corpus as numbered sequences of T tokens, each of which can be made at any time. */
export interface PackedCorpus {
  readonly corpus: TokenCorpus;
  readonly sequenceLength: number;
  readonly numSequences: number;
  /** Of the tokens and of how they are packed: the same hash, the same sequences. */
  readonly hash: string;
  counts(sequence: number): SequenceCounts;
  fill(sequence: number, batch: BatchBuilder, row: number): void;
}

export function pack(corpus: TokenCorpus, options: PackingOptions): PackedCorpus {
  return options.packing === "best-fit" ? packBestFit(corpus, options) : packConcatenated(corpus, options);
}
