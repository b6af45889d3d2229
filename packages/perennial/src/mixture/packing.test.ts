import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryCorpus } from "../data/index.ts";
import { BatchBuilder } from "./batch.ts";
import { type PackedCorpus, pack } from "./packing.ts";
import { expectWellFormed } from "./source.conformance.ts";

/** Documents of the given lengths; each token's id is its position in the corpus, so it can be told where it came from. */
function numberedCorpus(lengths: readonly number[], hash = "numbered"): MemoryCorpus {
  let next = 0;
  return new MemoryCorpus(
    lengths.map((length) => Array.from({ length }, () => next++)),
    { hash },
  );
}

const sequences = (packed: PackedCorpus) =>
  Array.from({ length: packed.numSequences }, (_, s) => {
    const builder = new BatchBuilder(2, packed.sequenceLength);
    packed.fill(s, builder, 1);
    builder.count("source", packed.counts(s).targetTokens);
    const batch = builder.finish();
    expectWellFormed(batch);
    const row = (array: Int32Array) => [...array.subarray(packed.sequenceLength)];
    return {
      inputIds: row(batch.inputIds),
      labels: row(batch.labels),
      positionIds: row(batch.positionIds),
      documentIds: row(batch.documentIds),
    };
  });

const lengthsOf = fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 30 });
const targets = (rows: readonly { labels: number[] }[]) =>
  rows.flatMap(({ labels }) => labels.filter((label) => label !== -100)).sort((a, b) => a - b);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test("concatenated, within documents: by hand", () => {
  const packed = pack(numberedCorpus([3, 6, 1, 2]), { sequenceLength: 4 });
  expect(sequences(packed)).toEqual([
    { inputIds: [0, 1, 2, 3], labels: [1, 2, -100, 4], positionIds: [0, 1, 2, 0], documentIds: [0, 0, 0, 1] },
    { inputIds: [4, 5, 6, 7], labels: [5, 6, 7, 8], positionIds: [0, 1, 2, 3], documentIds: [0, 0, 0, 0] },
    { inputIds: [8, 9, 10, 11], labels: [-100, -100, 11, -100], positionIds: [0, 0, 0, 1], documentIds: [0, 1, 2, 2] },
  ]);
  expect(range(0, 3).map((s) => packed.counts(s))).toEqual([
    { documents: 2, tokens: 4, targetTokens: 3 },
    { documents: 0, tokens: 4, targetTokens: 4 },
    { documents: 2, tokens: 4, targetTokens: 1 },
  ]);
});

test("concatenated, across documents: by hand, with a short last sequence", () => {
  const packed = pack(numberedCorpus([3, 4]), { sequenceLength: 4, attention: "across-documents" });
  expect(sequences(packed)).toEqual([
    { inputIds: [0, 1, 2, 3], labels: [1, 2, 3, 4], positionIds: [0, 1, 2, 3], documentIds: [0, 0, 0, 0] },
    { inputIds: [4, 5, 6, 0], labels: [5, 6, -100, -100], positionIds: [0, 1, 2, 0], documentIds: [0, 0, 0, 1] },
  ]);
});

test("across documents every token but the first is a label once, for any lengths", () => {
  fc.assert(
    fc.property(lengthsOf, fc.integer({ min: 1, max: 40 }), (lengths, sequenceLength) => {
      const corpus = numberedCorpus(lengths);
      const packed = pack(corpus, { sequenceLength, attention: "across-documents" });
      const rows = sequences(packed);
      expect(targets(rows)).toEqual(range(1, corpus.numTokens));
      expect(range(0, packed.numSequences).reduce((sum, s) => sum + packed.counts(s).targetTokens, 0)).toBe(corpus.numTokens - 1);
    }),
  );
});

test("within documents every token but the first of each is a label once, and no document sees another, for any lengths", () => {
  fc.assert(
    fc.property(lengthsOf, fc.integer({ min: 1, max: 40 }), (lengths, sequenceLength) => {
      const corpus = numberedCorpus(lengths);
      const packed = pack(corpus, { sequenceLength });
      const rows = sequences(packed);
      const starts = new Set(range(0, corpus.numDocuments).map((d) => (d === 0 ? 0 : corpus.documentEnd(d - 1))));
      expect(targets(rows)).toEqual(range(1, corpus.numTokens).filter((token) => !starts.has(token)));
      for (const { inputIds, labels, documentIds } of rows) {
        // One document of the corpus for each number in the row: what attention can reach belongs together.
        const reach = new Map<number, Set<number>>();
        for (const [i, label] of labels.entries()) {
          if (label === -100 && inputIds[i] === 0 && i > 0) continue; // the ignored rest of the last sequence
          reach.set(documentIds[i]!, (reach.get(documentIds[i]!) ?? new Set()).add(corpus.documentAt(inputIds[i]!)));
        }
        expect([...reach.values()].every((documents) => documents.size === 1)).toBe(true);
        expect(labels.every((label, i) => label === -100 || label === inputIds[i]! + 1)).toBe(true);
      }
      const counted = range(0, packed.numSequences).map((s) => packed.counts(s));
      expect(counted.reduce((sum, { tokens }) => sum + tokens, 0)).toBeGreaterThanOrEqual(corpus.numTokens - 1);
      // A last document of one token is neither input nor label where the cut falls before it.
      const lone = lengths.at(-1) === 1 && (corpus.numTokens - 1) % sequenceLength === 0 && corpus.numTokens > 1 ? 1 : 0;
      expect(counted.reduce((sum, { documents }) => sum + documents, 0)).toBe(corpus.numDocuments - lone);
    }),
  );
});

test("best fit: every token but the first of each document is a label once, and nothing that fits is cut", () => {
  fc.assert(
    fc.property(lengthsOf, fc.integer({ min: 1, max: 40 }), (lengths, sequenceLength) => {
      fc.pre(lengths.some((length) => length > 1));
      const corpus = numberedCorpus(lengths);
      const packed = pack(corpus, { sequenceLength, packing: "best-fit" });
      const rows = sequences(packed);
      const starts = new Set(range(0, corpus.numDocuments).map((d) => (d === 0 ? 0 : corpus.documentEnd(d - 1))));
      expect(targets(rows)).toEqual(range(1, corpus.numTokens).filter((token) => !starts.has(token)));
      const pieces = rows.flatMap(({ inputIds, labels, documentIds }) =>
        [...new Set(documentIds.filter((_, i) => labels[i] !== -100))].map((id) => inputIds[documentIds.indexOf(id)]!),
      );
      const pieceCount = lengths.reduce((sum, length) => sum + Math.ceil((length - 1) / sequenceLength), 0);
      expect(pieces).toHaveLength(pieceCount);
      const used = lengths.reduce((sum, length) => sum + length - 1, 0);
      expect(packed.numSequences).toBeGreaterThanOrEqual(Math.ceil(used / sequenceLength));
      if (packed.numSequences > 1) {
        // No two sequences could be one.
        const fills = range(0, packed.numSequences)
          .map((s) => packed.counts(s).tokens)
          .sort((a, b) => a - b);
        expect(fills[0]! + fills[1]!).toBeGreaterThan(sequenceLength);
      }
    }),
  );
});

test("best fit takes the tightest room", () => {
  // Pieces 6, 5, 3, 2 into sequences of 8: 6+2 and 5+3.
  const packed = pack(numberedCorpus([7, 6, 4, 3]), { sequenceLength: 8, packing: "best-fit" });
  expect(packed.numSequences).toBe(2);
  expect(range(0, 2).map((s) => packed.counts(s).tokens)).toEqual([8, 8]);
});

test("options that cannot be are refused", () => {
  const corpus = numberedCorpus([3]);
  expect(() => pack(corpus, { sequenceLength: 0 })).toThrow("sequenceLength: expected a positive integer, received 0");
  expect(() => pack(corpus, { sequenceLength: 4, packing: "best-fit", attention: "across-documents" })).toThrow("within-documents");
  expect(() => pack(numberedCorpus([1, 1]), { sequenceLength: 4, packing: "best-fit" })).toThrow("at least two tokens");
});
