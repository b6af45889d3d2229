import { expect, test } from "vitest";
import { MemoryCorpus } from "../data/index.ts";
import { type MixtureEntry, MixtureSource } from "./mixture-source.ts";
import { type PackedCorpus, pack } from "./packing.ts";
import { replayShares, type SeenSource, withReplay } from "./replay.ts";
import { conformsToSource } from "./source.conformance.ts";
import type { Batch } from "./source.ts";

const T = 4;
function corpus(name: string, numSequences: number, base: number): PackedCorpus {
  const documents = Array.from({ length: numSequences }, (_, i) => Array.from({ length: T }, (_, j) => base + i * T + j));
  return pack(new MemoryCorpus(documents, { hash: name }), { sequenceLength: T });
}
const old = corpus("old", 100, 0);
const fresh = corpus("fresh", 400, 10_000);
const later = corpus("later", 400, 20_000);
const corpora = new Map(Object.entries({ old, fresh, later }));

const firstTokens = (batches: readonly Batch[]) =>
  batches.flatMap(({ inputIds, batchSize }) => Array.from({ length: batchSize }, (_, row) => inputIds[row * T]!));
const isOld = (token: number) => token < 10_000;

function firstStage(steps: number) {
  const source = new MixtureSource({ sources: [{ name: "old", packed: old }], seed: 1, microBatchSize: 10 });
  const drawn = firstTokens(source.next(steps));
  return { drawn, memory: source.memory() };
}

function stage(sources: MixtureEntry[], seed: number, sequences: number, memory: readonly SeenSource[]) {
  const source = new MixtureSource({ sources, seed, microBatchSize: 10 });
  return { drawn: firstTokens(source.next(sequences / 10)), memory: source.memory(memory), shares: source.shares() };
}

conformsToSource("replay", (seed) => {
  const sources = withReplay([{ name: "fresh", packed: fresh, share: 1 }], { share: 0.25, memory: firstStage(6).memory, corpora });
  return new MixtureSource({ sources, seed, microBatchSize: 3 });
});

test("the weights of the official configurations: 300B of D0, then stages of 100B at f = 5 %", () => {
  const d0 = { name: "D0", tokens: 300 };
  const stage1 = replayShares({ S1: 1 }, [d0], 0.05);
  expect(stage1).toEqual({ S1: 0.95, D0: 0.05 });
  const after1 = [
    { name: "D0", tokens: 300 + 100 * stage1.D0! },
    { name: "S1", tokens: 100 * stage1.S1! },
  ];
  const stage2 = replayShares({ S2: 1 }, after1, 0.05);
  expect(stage2.D0).toBeCloseTo(0.038125, 15);
  expect(stage2.S1).toBeCloseTo(0.011875, 15);
  const after2 = [...after1.map(({ name, tokens }) => ({ name, tokens: tokens + 100 * stage2[name]! })), { name: "S2", tokens: 95 }];
  const stage3 = replayShares({ S3: 1 }, after2, 0.05);
  expect(stage3.D0).toBeCloseTo(0.03088125, 15);
  expect(stage3.S1).toBeCloseTo(0.00961875, 15);
  expect(stage3.S2).toBeCloseTo(0.0095, 15);
  expect(stage3.S3).toBeCloseTo(0.95, 15);
});

test("replay draws only what the first stage drew, at constant compute, in its order or reshuffled", () => {
  const { drawn: seen, memory } = firstStage(6); // 60 of 100 sequences
  for (const order of ["original", "shuffled"] as const) {
    const sources = withReplay([{ name: "fresh", packed: fresh, share: 1 }], { share: 0.25, memory, corpora, order });
    const { drawn, shares } = stage(sources, 7, 200, memory);
    const replayed = drawn.filter(isOld);
    expect(drawn).toHaveLength(200);
    expect(replayed).toHaveLength(50);
    expect(shares.old!.requestedShare).toBeCloseTo(0.25, 12);
    if (order === "original") expect(replayed).toEqual(seen.slice(0, 50));
    else {
      expect(replayed).not.toEqual(seen.slice(0, 50));
      expect(new Set(replayed).size).toBe(50);
      expect(replayed.every((token) => seen.includes(token))).toBe(true);
    }
  }
});

test.each(["original", "shuffled"] as const)("later stages go on behind what was replayed, then begin anew (%s)", (order) => {
  const { drawn: seen, memory } = firstStage(6);
  const stage1 = stage(withReplay([{ name: "fresh", packed: fresh, share: 1 }], { share: 0.2, memory, corpora, order }), 7, 200, memory);
  expect(stage1.memory.map(({ name, seen: sequences, replayed, tokens }) => [name, sequences, replayed, tokens])).toEqual([
    ["fresh", 160, 0, 640],
    ["old", 60, 40, 240 + 160],
  ]);
  const stage2 = stage(
    withReplay([{ name: "later", packed: later, share: 1 }], { share: 0.5, memory: stage1.memory, corpora, order }),
    8,
    400,
    stage1.memory,
  );
  const before = stage1.drawn.filter(isOld);
  const after = stage2.drawn.filter(isOld);
  expect(new Set([...before, ...after.slice(0, 20)])).toEqual(new Set(seen));
  expect(Math.abs(after.length - 400 * 0.5 * (400 / 1040))).toBeLessThanOrEqual(1);
  if (order === "original") expect(after).toEqual([...before, ...after, ...seen].slice(40, 60).concat(seen, seen).slice(0, after.length));
});

test("memory keeps what a stage did not replay", () => {
  const { memory } = firstStage(6);
  const alone = stage([{ name: "fresh", packed: fresh }], 2, 50, memory);
  expect(alone.memory.map(({ name }) => name)).toEqual(["old", "fresh"]);
  expect(JSON.parse(JSON.stringify(alone.memory))).toEqual(alone.memory);
});

test("mistakes are told with their place", () => {
  const { memory } = firstStage(2);
  const entry = { name: "fresh", packed: fresh, share: 1 };
  expect(() => withReplay([entry], { share: 5, memory, corpora })).toThrow("replay.share: expected a number from 0 to 1, received 5");
  expect(() => withReplay([entry], { share: 0.1, memory: [], corpora })).toThrow("replay.memory: expected at least one source");
  expect(() => withReplay([{ ...entry, name: "old" }], { share: 0.1, memory, corpora })).toThrow("a name that no new source has");
  expect(() => withReplay([entry], { share: 0.1, memory, corpora: new Map() })).toThrow("Hand in its token shards");
  expect(() => withReplay([entry], { share: 0.1, memory, corpora: new Map([["old", later]]) })).toThrow("packed in the same way");
});
