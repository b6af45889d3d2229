import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bootstrapRatio } from "../evaluate/significance/index.ts";
import { changeOf, changeSinceKept, keepDocuments, UNKNOWN_CHANGE } from "./paired-change.ts";

const documents = (bits: readonly number[], bytes = 10) => bits.map((one) => ({ lossSum: one * Math.LN2, bytes }));

test("every document a tenth of a bit per byte worse: the change is that, without doubt, however different the documents are", () => {
  const before = documents([10, 90, 20, 55]);
  const { value, low, high } = changeOf(before, documents([11, 91, 21, 56]), 500);
  for (const bound of [value, low, high]) expect(bound).toBeCloseTo(0.1, 12);
});

test("an interval holds its change, and is not wider than that of a value when the documents move alike", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 5, max: 80 }), fc.integer({ min: -3, max: 3 })), { minLength: 8, maxLength: 30 }),
      (rows) => {
        const before = documents(rows.map(([bits]) => bits));
        const after = documents(rows.map(([bits, shift]) => bits + shift));
        const { value, low, high } = changeOf(before, after, 200);
        expect(value).toBeCloseTo(rows.reduce((sum, [, shift]) => sum + shift, 0) / (10 * rows.length), 9);
        expect(low).toBeLessThanOrEqual(high);
        expect(high - low).toBeLessThanOrEqual(0.6 + 1e-9);
      },
    ),
    { numRuns: 30 },
  );
  const values = [10, 90, 20, 55, 70, 15, 30, 80];
  const unpaired = bootstrapRatio(
    values,
    values.map(() => 10),
    { resamples: 500 },
  );
  const paired = changeOf(documents(values), documents(values.map((one, i) => one + (i % 2))), 500);
  expect(paired.high - paired.low).toBeLessThan((unpaired.high - unpaired.low) / 10);
});

test("other documents than before: nothing is told", () => {
  expect(changeOf(documents([1, 2]), documents([1, 2, 3]), 10)).toEqual(UNKNOWN_CHANGE);
  expect(changeOf(documents([1, 2], 10), documents([1, 2], 11), 10)).toEqual(UNKNOWN_CHANGE);
});

test("kept beside the run, whatever the corpus is called", () => {
  const folder = mkdtempSync(join(tmpdir(), "perennial-change-"));
  try {
    expect(changeSinceKept(folder, "a/b", documents([1]), 10)).toEqual(UNKNOWN_CHANGE);
    keepDocuments(folder, "a/b", documents([1, 3]));
    expect(changeSinceKept(folder, "a/b", documents([2, 4]), 0)).toEqual({
      value: expect.closeTo(0.1, 12),
      low: Number.NaN,
      high: Number.NaN,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
