import fc from "fast-check";
import { expect, test } from "vitest";
import { averagePrecision } from "./average-precision.ts";
import { evaluateRetrieval } from "./evaluate-retrieval.ts";
import { precisionAt, recallAt, successAt } from "./hits-at.ts";
import { ndcg } from "./ndcg.ts";
import { rank } from "./ranking.ts";
import { reciprocalRank } from "./reciprocal-rank.ts";

test("ties go to the higher document id in byte order", () => {
  expect(rank({ a: 1, c: 1, b: 2, "\u{1f600}": 1, "\uff5e": 1 })).toEqual(["b", "\u{1f600}", "\uff5e", "c", "a"]);
});

test("nDCG@4 of grades 3 2 0 1 with {3, 3, 2, 1} judged", () => {
  const judgements = { a: 3, b: 2, d: 1, missed: 3, e: 0 };
  expect(ndcg(["a", "b", "unjudged", "d"], judgements, 4)).toBeCloseTo(0.7420829336, 10);
  expect(ndcg(["a", "b", "unjudged", "d"], judgements, 4, "exponential")).toBeCloseTo(0.6985342554, 10);
  expect(ndcg(["a"], {}, 4)).toBe(0);
});

test("closed forms", () => {
  const judgements = { r1: 1, r2: 2, no: 0 };
  const ranking = ["no", "r1", "x", "r2"];
  expect(reciprocalRank(ranking, judgements)).toBe(0.5);
  expect(reciprocalRank(ranking, judgements, 1)).toBe(0);
  expect(reciprocalRank(["no"], judgements)).toBe(0);
  expect(averagePrecision(ranking, judgements)).toBeCloseTo((1 / 2 + 2 / 4) / 2, 12);
  expect(averagePrecision(["r1"], judgements)).toBe(0.5);
  expect([recallAt(ranking, judgements, 2), recallAt(ranking, judgements, 4)]).toEqual([0.5, 1]);
  expect([successAt(ranking, judgements, 1), successAt(ranking, judgements, 2)]).toEqual([0, 1]);
  expect([precisionAt(ranking, judgements, 4), precisionAt(ranking, judgements, 10)]).toEqual([0.5, 0.2]);
});

test("a perfect ranking scores 1 everywhere", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }), fc.nat(8), (grades, unjudged) => {
      const judgements = Object.fromEntries(grades.map((grade, i) => [`d${i}`, grade]));
      const ranking = [...rank(judgements), ...Array.from({ length: unjudged }, (_, i) => `u${i}`)];
      for (const value of [
        ndcg(ranking, judgements, 20),
        averagePrecision(ranking, judgements),
        reciprocalRank(ranking, judgements),
        recallAt(ranking, judgements, 8),
      ])
        expect(value).toBeCloseTo(1, 12);
    }),
  );
});

test("a query missing from the run counts 0, or not at all as in trec_eval", () => {
  const run = new Map([
    ["q1", { a: 2, b: 1 }],
    ["unjudged", { a: 1 }],
  ]);
  const judgements = new Map([
    ["q1", { b: 1 }],
    ["q2", { a: 1 }],
  ]);
  expect(evaluateRetrieval(run, judgements, reciprocalRank).mean).toBe(0.25);
  expect(evaluateRetrieval(run, judgements, reciprocalRank, "judged and run")).toEqual({ mean: 0.5, byQuery: new Map([["q1", 0.5]]) });
});
