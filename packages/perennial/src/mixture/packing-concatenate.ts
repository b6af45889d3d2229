import type { TokenCorpus } from "../data/index.ts";
import { FieldError } from "../errors.ts";
import { type BatchBuilder, IGNORED } from "./batch.ts";
import type { PackedCorpus, PackingOptions, SequenceCounts } from "./packing.ts";

/**
 * One long row of documents, cut every T tokens: no padding, long documents split.
 *   sequence s     inputs t[sT .. sT+T), labels t[sT+1 .. sT+T]      s = 0 … ⌈(N−1)/T⌉−1, N tokens in the corpus
 * Every token but the first of the row is a label exactly once. Within documents the first token of each document is no label (nothing
 * that belongs to it stands before it), so the last token of a document, as a rule the end-of-sequence token, has the label −100; a
 * document that goes on in the next sequence starts there at position 0. Only the last sequence may be short: its rest is ignored.
 */
export function packConcatenated(corpus: TokenCorpus, { sequenceLength, attention = "within-documents" }: PackingOptions): PackedCorpus {
  checkSequenceLength(sequenceLength);
  const T = sequenceLength;
  const N = corpus.numTokens;
  const isolated = attention === "within-documents";
  const tokens = new Int32Array(T + 1);
  /** Positions a sequence has tokens for. */
  const inputsOf = (sequence: number) => Math.min(T, N - sequence * T);

  function counts(sequence: number): SequenceCounts {
    const start = sequence * T;
    const end = start + inputsOf(sequence);
    const first = corpus.documentAt(start);
    const last = corpus.documentAt(end - 1);
    const startsHere = start === 0 || corpus.documentAt(start - 1) !== first;
    const endsHere = last - first + (corpus.documentEnd(last) === end ? 1 : 0);
    const noLabel = isolated ? endsHere : end === N ? 1 : 0;
    return { documents: last - first + (startsHere ? 1 : 0), tokens: end - start, targetTokens: end - start - noLabel };
  }

  function fill(sequence: number, batch: BatchBuilder, row: number): void {
    const start = sequence * T;
    const inputs = inputsOf(sequence);
    const end = start + inputs;
    const at = row * T;
    const known = Math.min(inputs + 1, N - start);
    corpus.read(start, known, tokens, 0);
    batch.inputIds.set(tokens.subarray(0, inputs), at);
    batch.labels.set(tokens.subarray(1, known), at);
    if (known === inputs) batch.labels[at + inputs - 1] = IGNORED;
    let documentId = 0;
    if (!isolated) batch.span(at, at + inputs, documentId++);
    else {
      for (let document = corpus.documentAt(start), from = start; from < end; document++, documentId++) {
        const documentEnd = corpus.documentEnd(document);
        const to = Math.min(documentEnd, end);
        batch.span(at + from - start, at + to - start, documentId);
        if (to === documentEnd) batch.labels[at + to - start - 1] = IGNORED;
        from = to;
      }
    }
    if (inputs < T) {
      batch.inputIds.fill(0, at + inputs, at + T);
      batch.labels.fill(IGNORED, at + inputs, at + T);
      batch.span(at + inputs, at + T, documentId);
    }
  }

  return {
    corpus,
    sequenceLength,
    numSequences: Math.max(1, Math.ceil((N - 1) / T)),
    hash: `${corpus.hash}/concatenate/${T}/${attention}`,
    counts,
    fill,
  };
}

export function checkSequenceLength(sequenceLength: number): void {
  if (!Number.isSafeInteger(sequenceLength) || sequenceLength < 1)
    throw new FieldError("SEQUENCE_LENGTH", { at: "sequenceLength", expected: "a positive integer", received: sequenceLength });
}
