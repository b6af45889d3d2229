import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryCorpus } from "../data/index.ts";
import { type EvaluationOptions, evaluationBatches, rollingWindows } from "./rolling-windows.ts";
import { expectWellFormed } from "./source.conformance.ts";

test("the golden example: 10 tokens, windows of 4", () => {
  const list = ["P", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const windows = [...rollingWindows(10, 4)].map(({ from, to, firstTarget }) => [
    list.slice(from, to).join(""),
    list.slice(firstTarget + 1, to + 1).join(""),
  ]);
  expect(windows).toEqual([
    ["P012", "0123"],
    ["3456", "4567"],
    ["5678", "89"],
  ]);
});

test("every target is counted once, with the context that was asked for", () => {
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (n, length, c) => {
      const context = Math.min(c, length);
      const counted: number[] = [];
      for (const { from, to, firstTarget } of rollingWindows(n, length, context)) {
        expect(to - from).toBeLessThanOrEqual(length);
        if (from > 0) expect(firstTarget - from + 1).toBeGreaterThanOrEqual(context);
        for (let target = firstTarget; target < to; target++) counted.push(target);
      }
      expect(counted).toEqual(Array.from({ length: n }, (_, i) => i));
    }),
  );
});

/** Ids tell document and place: document d has the tokens 100 (d + 1), 100 (d + 1) + 1, …; 7 ends each. */
const corpusOf = (lengths: readonly number[], append: boolean) =>
  new MemoryCorpus(
    lengths.map((length, d) => [...Array.from({ length }, (_, i) => 100 * (d + 1) + i), ...(append ? [7] : [])]),
    { bytes: lengths.map((length) => 3 * length), ...(append ? { appendTokenId: 7 } : {}) },
  );

test("batches predict every token of every document once from the inputs before it, and count all bytes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }),
      fc.record({ sequenceLength: fc.integer({ min: 1, max: 9 }), batchSize: fc.integer({ min: 1, max: 3 }), scoreEnd: fc.boolean() }),
      fc.boolean(),
      fc.boolean(),
      (lengths, options, withPrefix, append) => {
        const corpus = corpusOf(lengths, append);
        const full: EvaluationOptions = { ...options, ...(withPrefix ? { prefixTokenId: 9 } : {}) };
        const got: number[] = [];
        let bytes = 0;
        for (const { batch, segments, bytes: here } of evaluationBatches(corpus, full)) {
          expectWellFormed(batch);
          bytes += here;
          const counted = segments.reduce((sum, { firstTarget, end }) => sum + end - firstTarget, 0);
          expect(counted).toBe(batch.targetTokens);
          for (const { document, row, start, end, firstTarget } of segments) {
            for (let i = start; i < end; i++) {
              const at = row * batch.sequenceLength + i;
              const label = batch.labels[at]!;
              expect(label === -100).toBe(i < firstTarget);
              if (label === -100) continue;
              got.push(label === 7 ? 100 * (document + 1) + 99 : label);
              const first = label === 100 * (document + 1);
              const last = 100 * (document + 1) + lengths[document]! - 1;
              expect(batch.inputIds[at]).toBe(first ? 9 : label === 7 ? last : label - 1);
            }
          }
        }
        const want = lengths.flatMap((length, d) => [
          ...Array.from({ length }, (_, i) => 100 * (d + 1) + i).slice(withPrefix ? 0 : 1),
          ...(append && options.scoreEnd ? [100 * (d + 1) + 99] : []),
        ]);
        expect(got).toEqual(want);
        expect(bytes).toBe(corpus.textBytes);
      },
    ),
  );
});

test("a corpus with tokens put before its documents needs no prefix", () => {
  const corpus = new MemoryCorpus([[5, 10, 11, 7]], { prependTokenId: 5, appendTokenId: 7 });
  const [only] = evaluationBatches(corpus, { sequenceLength: 4, batchSize: 1, prefixTokenId: 9 });
  expect([...only!.batch.inputIds.subarray(0, 2)]).toEqual([5, 10]);
  expect([...only!.batch.labels]).toEqual([10, 11, -100, -100]);
});

test("the first documents only, and a context that cannot be", () => {
  const corpus = corpusOf([5, 5, 5], false);
  const some = [...evaluationBatches(corpus, { sequenceLength: 4, batchSize: 1, maxDocuments: 2 })];
  expect(some.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(30);
  expect(() => [...evaluationBatches(corpus, { sequenceLength: 4, batchSize: 1, context: 5 })]).toThrow("from 1 to 4, received 5");
});
