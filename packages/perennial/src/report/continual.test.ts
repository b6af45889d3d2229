import { expect, test } from "vitest";
import { ownCorpora, sequenceMeasures, stabilityGaps } from "./continual.ts";
import type { CorpusScores } from "./data.ts";

test("transfer and forgetting over two stages, by hand", () => {
  const own = ownCorpora({
    stages: [{ mixture: { sources: [{ corpus: "a" }] } }, { mixture: { sources: [{ corpus: "b" }, { corpus: "c" }] } }],
  });
  expect(own).toEqual([["a"], ["b", "c"]]);
  // Bits per byte before, after a, after b + c; the task of the second stage is the mean of b and c.
  const values = [
    [4, 5, 3],
    [2, 4, 2],
    [2.5, 1, 2],
  ];
  expect(sequenceMeasures(own, { corpora: ["a", "b", "c"], values })).toEqual({
    tasks: ["a", "b + c"],
    averageBitsPerByte: (2.5 + 1.5) / 2,
    backwardTransfer: -0.5,
    forwardTransfer: 1,
    forgetting: 0.5,
  });
  expect(sequenceMeasures(own.slice(0, 1), { corpora: ["a"], values: [[4], [2]] })).toBeUndefined();
  expect(sequenceMeasures(own, { corpora: ["a", "b", "c"], values: values.slice(0, 2) })).toBeUndefined();
  expect(sequenceMeasures(own, { corpora: ["a", "b"], values: values.map((row) => row.slice(0, 2)) })).toBeUndefined();
});

test("the gap begins with the value at the end of the stage before", () => {
  const point = (step: number, stage: number, moment: string, value: number) => ({ step, stage, moment, value, tokens: 100 * step, low: Number.NaN, high: Number.NaN }); // biome-ignore format: a row
  const points = [point(0, 0, "before", 8), point(5, 0, "during", 3), point(10, 0, "after", 2), point(12, 1, "during", 2.5), point(14, 1, "during", 2.25), point(16, 1, "after", 1.75)]; // biome-ignore format: a curve
  const scores: CorpusScores[] = [{ corpus: "a", points, before: 8, after: 1.75, change: -6.25, changeLow: -6.5, changeHigh: -6 }];
  const stages = [0, 10].map((startStep, i) => ({
    name: "ab"[i]!,
    startStep,
    endStep: 0,
    tokens: 0,
    startedAt: 0,
    endedAt: 0,
    position: i,
  }));
  expect(stabilityGaps([["a"], ["b"]], stages, scores, false)).toEqual([
    {
      stage: "b",
      corpus: "a",
      depth: 0.5,
      location: 200,
      recovery: 600,
      area: 200 * 0.5 + 200 * 0.25,
      curve: [
        { tokens: 0, change: 0 },
        { tokens: 200, change: 0.5 },
        { tokens: 400, change: 0.25 },
        { tokens: 600, change: -0.25 },
      ],
    },
  ]);
  // A model that came with knowledge may lose it in the first stage.
  expect(stabilityGaps([["b"], ["b"]], stages, scores, true).map(({ stage }) => stage)).toEqual(["a", "b"]);
  expect(stabilityGaps([["b"], ["b"]], stages, scores, false)).toEqual([]);
});
