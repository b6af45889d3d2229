import fc from "fast-check";
import { expect, test } from "vitest";
import { buccF1, buccThreshold, uniqueTexts } from "./bucc.ts";
import { candidateMargins } from "./margin.ts";
import { mineBitext } from "./mine.ts";
import { nearestNeighbors, normalizeVector } from "./neighbors.ts";
import { bitextAccuracy, xsimError } from "./xsim.ts";

const X = [[1, 0], [0, 1], [0.6, 0.8]]; // biome-ignore format: vectors
const Y = [[0.8, 0.6], [0, 1], [1, 0]]; // biome-ignore format: vectors
const neighbors = nearestNeighbors(X, Y, 2);

test("margins of the specification", () => {
  const mean = (list: readonly { similarity: number }[]) => list.reduce((sum, { similarity }) => sum + similarity, 0) / list.length;
  for (const [i, f] of [0.9, 0.8, 0.88].entries()) expect(mean(neighbors.forward[i]!)).toBeCloseTo(f, 12);
  for (const [j, g] of [0.88, 0.9, 0.8].entries()) expect(mean(neighbors.backward[j]!)).toBeCloseTo(g, 12);
  const ratio = candidateMargins(neighbors).forward;
  expect(ratio[0]!.find(({ index }) => index === 2)!.similarity).toBeCloseTo(1.1765, 4);
  expect(ratio[2]!.find(({ index }) => index === 0)!.similarity).toBeCloseTo(1.0909, 4);
  expect(candidateMargins(neighbors, "distance").forward[0]!.find(({ index }) => index === 2)!.similarity).toBeCloseTo(0.15, 12);
  expect(candidateMargins(neighbors, "absolute")).toEqual(neighbors);
});

test("max strategy pairs 1–3, 2–2, 3–1", () => {
  expect(mineBitext(neighbors).map(({ source, target }) => [source + 1, target + 1])).toEqual([[1, 3], [2, 2], [3, 1]]); // biome-ignore format: pairs
  expect(mineBitext(neighbors, { threshold: 1.1 }).map(({ source }) => source + 1)).toEqual([1, 2]);
});

test("a pair below the threshold still uses its sentences", () => {
  const far = { forward: [[{ index: 0, similarity: 0.9 }], [{ index: 0, similarity: 0.8 }]], backward: [[{ index: 0, similarity: 0.9 }]] };
  expect(mineBitext(far, { margin: "absolute", threshold: 0.95 })).toEqual([]);
  expect(mineBitext(far, { margin: "absolute" })).toEqual([{ source: 0, target: 0, margin: 0.9 }]);
  expect(mineBitext(far, { margin: "absolute", strategy: "forward" })).toHaveLength(2);
  expect(mineBitext(far, { margin: "absolute", strategy: "backward" })).toHaveLength(1);
  expect(mineBitext(far, { margin: "absolute", strategy: "intersect" })).toEqual([{ source: 0, target: 0, margin: 0.9 }]);
});

test("neighbors equal a full sort", () => {
  const vectors = fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(vectors, vectors, fc.integer({ min: 1, max: 5 }), (x, y, k) => {
      const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
      const sorted = (from: number[], to: number[][]) =>
        to
          .map((vector, index) => ({ index, similarity: dot(from, vector) }))
          .sort((a, b) => b.similarity - a.similarity || a.index - b.index)
          .slice(0, k);
      expect(nearestNeighbors(x, y, k)).toEqual({ forward: x.map((from) => sorted(from, y)), backward: y.map((from) => sorted(from, x)) });
    }),
  );
});

test("max mining is one to one", () => {
  const vector = fc.tuple(fc.double({ min: 0.1, max: 1 }), fc.double({ min: 0.1, max: 1 })).map(normalizeVector);
  fc.assert(
    fc.property(fc.array(vector, { minLength: 1, maxLength: 8 }), fc.array(vector, { minLength: 1, maxLength: 8 }), (x, y) => {
      const pairs = mineBitext(nearestNeighbors(x, y));
      expect(new Set(pairs.map(({ source }) => source)).size).toBe(pairs.length);
      expect(new Set(pairs.map(({ target }) => target)).size).toBe(pairs.length);
    }),
  );
});

test("a parallel set against itself has no xsim error", () => {
  const vectors = [[1, 0], [0.6, 0.8], [0, 1]]; // biome-ignore format: vectors
  expect(xsimError(nearestNeighbors(vectors, vectors))).toBe(0);
  expect(bitextAccuracy(nearestNeighbors(vectors, [...vectors].reverse()), "absolute")).toBeCloseTo(1 / 3, 12);
});

test("BUCC threshold lies between the best score and the next", () => {
  const pairs = [0.9, 0.8, 0.7, 0.6].map((score, i) => ({ source: `s${i}`, target: `t${i}`, score }));
  const gold = [["s0", "t0"], ["s1", "t1"], ["s9", "t9"]] as const; // biome-ignore format: pairs
  const tuned = buccThreshold(pairs, gold);
  expect(tuned.threshold).toBeCloseTo(0.75, 12);
  expect(tuned).toMatchObject({ precision: 1, recall: 2 / 3 });
  expect(tuned.f1).toBeCloseTo(0.8, 12);
  expect(buccF1(pairs, gold, tuned.threshold).f1).toBe(tuned.f1);
  expect(buccF1(pairs, gold, 0.6).precision).toBe(0.5);
  expect(buccThreshold(pairs.slice(0, 2), gold).threshold).toBe(0.8);
  expect(buccThreshold([], gold)).toMatchObject({ threshold: Number.POSITIVE_INFINITY, f1: 0 });
});

test("texts under several ids leave", () => {
  expect(uniqueTexts(new Map([["1", "a"], ["2", "b"], ["3", "a"]]))).toEqual(["2"]); // biome-ignore format: pairs
});

test("ragged vectors are refused", () => expect(() => nearestNeighbors([[1, 2]], [[1]])).toThrow(/y\[0\]: expected 2 numbers/));
