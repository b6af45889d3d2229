import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance } from "./edit-distance.ts";
import { characterErrorRate, errorRate, wordErrorRate } from "./error-rate.ts";

const golden: { references: string[]; hypotheses: string[]; wer: number; cer: number }[] = JSON.parse(
  readFileSync(new URL("./golden/jiwer.json", import.meta.url), "utf8"),
);

test.each(golden)("jiwer: $references.0", ({ references, hypotheses, wer, cer }) => {
  expect(wordErrorRate(references, hypotheses).rate).toBeCloseTo(wer, 12);
  expect(characterErrorRate(references, hypotheses).rate).toBeCloseTo(cer, 12);
});

test("values of the specification", () => {
  const references = ["the cat sat on the mat", "hello world"];
  const hypotheses = ["the cat sit on mat", "hello there world"];
  expect(wordErrorRate(references, hypotheses)).toEqual({ rate: 0.375, errors: [2, 1], referenceUnits: [6, 2] });
  expect(characterErrorRate(references, hypotheses).rate).toBeCloseTo(11 / 33, 12);
});

test("edges", () => {
  expect(wordErrorRate([""], ["two words"]).rate).toBe(2);
  expect(wordErrorRate(["a"], ["b c d"]).rate).toBe(3);
  expect(errorRate([[1, 2, 3]], [[1, 3]]).rate).toBeCloseTo(1 / 3, 12);
  expect(() => wordErrorRate(["a"], [])).toThrow(/one for each of 1 references/);
});

test("edit distance is a metric", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a.join("") === b.join(""));
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});
