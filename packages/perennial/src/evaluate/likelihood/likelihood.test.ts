import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsPerByte } from "./bits-per-byte.ts";
import { continuationTokens, fitContinuation, moveTrailingWhitespace } from "./continuation.ts";
import { documentLikelihood, likelihoodReport } from "./document-likelihood.ts";
import { continuationPerplexity, informationParity, perplexity } from "./perplexity.ts";
import { rollingWindows } from "./rolling-windows.ts";

test("a uniform byte model costs 8 bits per byte", () => {
  expect(bitsPerByte({ lossSum: 1000 * Math.log(256), bytes: 1000 })).toBeCloseTo(8, 12);
});

test("5 tokens at −ln 2 and 3 at −ln 4 over 20 bytes", () => {
  const lossSum = 5 * Math.log(2) + 3 * Math.log(4);
  expect(perplexity({ lossSum, count: 8 })).toBeCloseTo(2.5936791, 7);
  expect(bitsPerByte({ lossSum, bytes: 20 })).toBeCloseTo(0.55, 12);
});

test("a report is a ratio of sums, not a mean of ratios", () => {
  const report = likelihoodReport([documentLikelihood(" a b\n", 2, 2), documentLikelihood("é", 10, 1)]);
  expect(report).toMatchObject({ lossSum: 12, targetTokens: 3, words: 5, bytes: 7, loss: 4 });
  expect(report.perplexity).toBeCloseTo(Math.exp(4), 10);
  expect(report.wordPerplexity).toBeCloseTo(Math.exp(12 / 5), 12);
  expect(report.bytePerplexity).toBeCloseTo(2 ** report.bitsPerByte, 12);
});

test("perplexity of continuations and information parity", () => {
  expect(continuationPerplexity([-1, -3])).toBeCloseTo(Math.exp(2), 12);
  expect(informationParity({ englishLossSum: 50, lossSum: 100 })).toBe(0.5);
});

test("rolling windows of 10 tokens, window 4: P→0123, 3→4567, 567→89", () => {
  expect(rollingWindows(10, 4)).toEqual([
    { inputStart: 0, inputEnd: 4, predictStart: 0, predictEnd: 4 }, // P 0 1 2 → 0 1 2 3
    { inputStart: 4, inputEnd: 8, predictStart: 4, predictEnd: 8 }, // 3 4 5 6 → 4 5 6 7
    { inputStart: 6, inputEnd: 10, predictStart: 8, predictEnd: 10 }, // 5 6 7 8 → 8 9, two more of context
  ]);
  expect(rollingWindows(0, 4)).toEqual([]);
  expect(() => rollingWindows(3, 4, 5)).toThrow(/from 1 to the window of 4 tokens/);
});

test("rolling windows predict every token once, in order, with the context asked for", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (numTokens, window, context) => {
      fc.pre(context <= window);
      const windows = rollingWindows(numTokens, window, context);
      const predicted = windows.flatMap((w) => Array.from({ length: w.predictEnd - w.predictStart }, (_, i) => w.predictStart + i));
      expect(predicted).toEqual(Array.from({ length: numTokens }, (_, i) => i));
      for (const w of windows.slice(1)) {
        expect(w.inputEnd - w.inputStart).toBe(window);
        expect(w.predictStart - w.inputStart + 1).toBeGreaterThanOrEqual(context); // input position p is token p − 1
      }
    }),
  );
});

test("a continuation keeps the tokens of the whole", () => {
  const encode = (text: string) => (text.match(/ ?[^ ]+| /g) ?? []).map((piece) => piece.length);
  expect(moveTrailingWhitespace("What? ", "Yes")).toEqual(["What?", " Yes"]);
  expect(continuationTokens("What? ", "Yes", encode, 99)).toEqual({ contextIds: [5], continuationIds: [4] });
  expect(continuationTokens("", "Yes", encode, 99)).toEqual({ contextIds: [99], continuationIds: [3] });
  expect(continuationTokens("", "Yes no", encode, 3)).toEqual({ contextIds: [3], continuationIds: [3] });
});

test("a long context is cut at its left", () => {
  const tokens = { contextIds: [1, 2, 3], continuationIds: [4, 5] };
  expect(fitContinuation(tokens, 10)).toEqual({ inputIds: [1, 2, 3, 4], targetIds: [4, 5] });
  expect(fitContinuation(tokens, 2)).toEqual({ inputIds: [3, 4], targetIds: [4, 5] });
  expect(fitContinuation(tokens, 1)).toEqual({ inputIds: [4], targetIds: [5] });
});
