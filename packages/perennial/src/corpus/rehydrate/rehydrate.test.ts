import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GENERIC_TABLE, rehydrationTable, removalBins, repetitions } from "./rehydrate.ts";

const binsOf = (shares: number[]) => shares.map((removalShare, i) => ({ size: i + 1, removalShare }));

test("the worked example", () => {
  const bins = binsOf([70, 60, 50, 40, 50, 60, 70].map((percent) => percent / 100));
  expect(rehydrationTable(bins, 0.62)).toEqual([
    [1, 1],
    [2, 2],
    [3, 5],
    [6, 2],
    [7, 1],
  ]);
});

test("the published French table", () => {
  // Removal shares by cluster size 1 … 217 and of the tail: huggingface/fineweb-2, misc/rehydration/distributions/fra_Latn.json.
  const { removalShares, globalShare } = JSON.parse(readFileSync(new URL("golden/french.json", import.meta.url), "utf8"));
  expect(Math.min(...removalShares)).toBeCloseTo(0.445627, 6);
  expect(Object.fromEntries(rehydrationTable(binsOf(removalShares), globalShare))).toEqual({
    ...{ 1: 1, 3: 3, 4: 4, 6: 5, 7: 6, 8: 7, 10: 8, 13: 9, 17: 10, 29: 9, 40: 8, 52: 7, 62: 6, 76: 5, 88: 4, 107: 3, 108: 4 },
    ...{ 110: 3, 111: 4, 112: 3, 131: 2, 135: 3, 142: 2, 177: 1, 186: 2, 191: 1 },
  });
});

test("the largest sizes, a thousandth of the clusters, are one bin", () => {
  const counts = new Map([
    [1, { documents: 9000, removed: 900 }],
    [50, { documents: 4, removed: 4 }],
    [2, { documents: 990, removed: 9 }],
    [900, { documents: 6, removed: 3 }],
  ]);
  expect(removalBins(counts)).toEqual({
    bins: [
      { size: 1, removalShare: 0.1 },
      { size: 2, removalShare: 9 / 990 },
      { size: 50, removalShare: 0.7 },
    ],
    globalShare: 0.0916,
  });
  expect(removalBins(new Map([[3, { documents: 2, removed: 1 }]]))).toEqual({ bins: [{ size: 3, removalShare: 0.5 }], globalShare: 0.5 });
});

test("filters that remove the same everywhere repeat nothing", () => {
  expect(rehydrationTable(binsOf([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]), 0.5)).toEqual([[1, 1]]);
});

test("repetitions of a size are those of the run it falls into", () => {
  expect([1, 2, 4, 5, 99, 100, 5000].map((size) => repetitions(GENERIC_TABLE, size))).toEqual([1, 2, 3, 5, 5, 8, 1]);
  expect(repetitions([[3, 4]], 2)).toBe(1);
});
