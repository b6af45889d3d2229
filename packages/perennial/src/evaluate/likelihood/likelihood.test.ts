import { expect, test } from "vitest";
import { bitsPerByte } from "./bits-per-byte.ts";
import { continuationTokens, fitContinuation, moveTrailingWhitespace } from "./continuation.ts";
import { documentLikelihood, likelihoodReport } from "./document-likelihood.ts";
import { continuationPerplexity, informationParity, perplexity } from "./perplexity.ts";

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
