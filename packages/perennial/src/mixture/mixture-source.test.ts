import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryCorpus } from "../data/index.ts";
import { type MixtureEntry, type MixtureOptions, MixtureSource } from "./mixture-source.ts";
import { type PackedCorpus, pack } from "./packing.ts";
import { conformsToSource } from "./source.conformance.ts";
import type { Batch } from "./source.ts";

/** A corpus whose ids are their positions plus `base`, so that sources do not share ids. */
function packed(
  lengths: readonly number[],
  sequenceLength: number,
  base = 0,
  more: Partial<Parameters<typeof pack>[1]> = {},
): PackedCorpus {
  let next = base;
  const documents = lengths.map((length) => Array.from({ length }, () => next++));
  return pack(new MemoryCorpus(documents, { hash: `${base}/${lengths.join()}` }), { sequenceLength, ...more });
}

const long = (documents: number, seed: number) => Array.from({ length: documents }, (_, i) => 2 + ((i * 7 + seed) % 23));
const three = (more: Partial<Parameters<typeof pack>[1]> = {}): MixtureEntry[] => [
  { name: "a", packed: packed(long(40, 1), 8, 0, more), share: 0.5 },
  { name: "b", packed: packed(long(90, 2), 8, 10_000, more), share: 0.3 },
  { name: "c", packed: packed(long(20, 3), 8, 20_000, more), share: 0.2 },
];
const schedule = [{ step: 2, over: 3, shares: { a: 1, c: 1 } }];

conformsToSource("fixed shares", (seed) => new MixtureSource({ sources: three(), seed, microBatchSize: 3 }));
conformsToSource("changing shares", (seed) => new MixtureSource({ sources: three(), seed, microBatchSize: 3, schedule }));
conformsToSource("random blend", (seed) => new MixtureSource({ sources: three(), seed, microBatchSize: 2, schedule, blend: "random" }));
conformsToSource("best fit", (seed) => new MixtureSource({ sources: three({ packing: "best-fit" }), seed, microBatchSize: 2 }));
conformsToSource("across documents, second of three processes", (seed) => {
  return new MixtureSource({ sources: three({ attention: "across-documents" }), seed, microBatchSize: 2, rank: 1, worldSize: 3 });
});
conformsToSource("epoch caps", (seed) => {
  const sources = three().map((entry) => ({ ...entry, ...(entry.name === "c" ? {} : { epochs: 0.2 }), order: "sequential" as const }));
  return new MixtureSource({ sources, seed, microBatchSize: 3 });
});

const rows = (batch: Batch) =>
  Array.from({ length: batch.batchSize }, (_, row) => {
    const of = (array: Int32Array) => array.subarray(row * batch.sequenceLength, (row + 1) * batch.sequenceLength).join();
    return `${of(batch.inputIds)}|${of(batch.labels)}`;
  });
const targets = (batches: readonly Batch[]) => batches.flatMap(({ labels }) => [...labels].filter((label) => label !== -100));

/** All steps of all processes until nothing is left. */
function drain(make: (rank: number) => MixtureSource, worldSize: number, microBatches: number): Batch[] {
  const all: Batch[] = [];
  const sources = Array.from({ length: worldSize }, (_, rank) => make(rank));
  for (;;) {
    try {
      for (const source of sources) all.push(...source.next(microBatches));
    } catch (error) {
      expect(error).toMatchObject({ code: "SOURCE_EXHAUSTED" });
      return all;
    }
  }
}

test("one epoch is one pass: every label once, for any lengths, T, micro-batches and processes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
      fc.record({
        T: fc.integer({ min: 1, max: 20 }),
        microBatchSize: fc.integer({ min: 1, max: 3 }),
        microBatches: fc.integer({ min: 1, max: 3 }),
        worldSize: fc.integer({ min: 1, max: 4 }),
        epochs: fc.integer({ min: 1, max: 3 }),
      }),
      (lengths, { T, microBatchSize, microBatches, worldSize, epochs }) => {
        const source = packed(lengths, T, 0, { attention: "across-documents" });
        const make = (rank: number) =>
          new MixtureSource({ sources: [{ name: "a", packed: source, epochs }], seed: 5, microBatchSize, rank, worldSize });
        const counts = new Map<number, number>();
        for (const target of targets(drain(make, worldSize, microBatches))) counts.set(target, (counts.get(target) ?? 0) + 1);
        expect(counts.size).toBe(source.corpus.numTokens - 1);
        for (const count of counts.values()) expect(count).toBe(epochs);
      },
    ),
  );
});

test("the global stream does not depend on the number of processes, also when it changes at any step", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 }), fc.constantFrom(1, 2, 3, 4, 6), fc.constantFrom(1, 2, 3, 4, 6), (stop, before, after) => {
      const options: MixtureOptions = { sources: three(), seed: 9, microBatchSize: 2, schedule };
      const run = (worldSize: number, steps: number, state?: Readonly<Record<string, unknown>>) => {
        const sources = Array.from({ length: worldSize }, (_, rank) => new MixtureSource({ ...options, rank, worldSize }));
        for (const source of sources) if (state !== undefined) source.restore(state);
        const stream: string[] = [];
        for (let step = 0; step < steps; step++) for (const source of sources) stream.push(...source.next(12 / worldSize).flatMap(rows));
        for (const source of sources) expect(source.state()).toEqual(sources[0]!.state());
        return { stream, state: JSON.parse(JSON.stringify(sources[0]!.state())) };
      };
      const first = run(before, stop);
      const rest = run(after, 6 - stop, first.state);
      const whole = run(1, 6);
      expect([...first.stream, ...rest.stream]).toEqual(whole.stream);
      expect(rest.state).toEqual(whole.state);
    }),
    { numRuns: 40 },
  );
});

test("a change of shares neither repeats nor loses a sample, in a run and between runs", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.boolean(),
      (changes, restart) => {
        const sources = three({ attention: "across-documents" }).map((entry) => ({ ...entry, epochs: 1 }));
        let source = new MixtureSource({ sources, seed: 2, microBatchSize: 2 });
        const seen: number[] = [];
        for (const [steps, a, b] of changes) {
          const shares = { a, b, c: 1 };
          if (restart) {
            const state = source.state();
            const other = sources.map((entry) => ({ ...entry, share: shares[entry.name as "a"] }));
            source = new MixtureSource({ sources: other, seed: 99, microBatchSize: 2 });
            source.restore(state);
          } else source.setShares(shares);
          for (let step = 0; step < steps; step++) seen.push(...targets(source.next(1)));
        }
        source.setShares({ a: 1, b: 1, c: 1 });
        try {
          for (;;) seen.push(...targets(source.next(1)));
        } catch (error) {
          expect(error).toMatchObject({ code: "SOURCE_EXHAUSTED" });
        }
        const labels = sources.reduce((sum, { packed: { corpus } }) => sum + corpus.numTokens - 1, 0);
        expect(seen).toHaveLength(labels);
        expect(new Set(seen).size).toBe(labels);
      },
    ),
    { numRuns: 50 },
  );
});

test("achieved shares are within one sequence of those requested, and what is counted is what was drawn", () => {
  const sources = three();
  const source = new MixtureSource({ sources, seed: 4, microBatchSize: 5 });
  const drawn = { a: 0, b: 0, c: 0 };
  let tokens = 0;
  for (let step = 0; step < 20; step++) {
    for (const batch of source.next(2)) {
      for (const name of ["a", "b", "c"] as const) drawn[name] += batch.targetTokensBySource[name] ?? 0;
      tokens += batch.inputIds.length;
    }
    const shares = source.shares();
    const sequences = 10 * (step + 1);
    for (const { name, share } of sources) {
      expect(shares[name]!.requestedShare).toBeCloseTo(share!, 12);
      expect(Math.abs(shares[name]!.sequences - share! * sequences)).toBeLessThanOrEqual(1);
    }
  }
  const shares = Object.values(source.shares());
  expect(Object.values(source.shares()).map(({ targetTokens }) => targetTokens)).toEqual(Object.values(drawn));
  for (const key of ["sequenceShare", "documentShare", "tokenShare", "targetTokenShare"] as const)
    expect(shares.reduce((sum, share) => sum + share[key], 0)).toBeCloseTo(1, 12);
  // The short last sequence of each corpus is all that is missing.
  const counted = shares.reduce((sum, share) => sum + share.tokens, 0);
  expect(counted).toBeLessThanOrEqual(tokens);
  expect(counted).toBeGreaterThan(tokens - 10 * 8);
  expect(source.shares().a!.epochs).toBeCloseTo(source.shares().a!.sequences / sources[0]!.packed.numSequences, 12);
});

test("a capped source stops at its cap and leaves its share to the others", () => {
  const sources = three().map((entry) => (entry.name === "a" ? { ...entry, epochs: 0.5 } : entry));
  const source = new MixtureSource({ sources, seed: 4, microBatchSize: 10 });
  for (let step = 0; step < 30; step++) source.next(1);
  const { a, b, c } = source.shares();
  const cap = Math.floor(0.5 * sources[0]!.packed.numSequences);
  expect(a!.sequences).toBe(cap);
  const others = 300 - cap;
  expect(Math.abs(b!.sequences - others * 0.6)).toBeLessThan(2.5);
  expect(Math.abs(c!.sequences - others * 0.4)).toBeLessThan(2.5);
});

test("without shares, sources are drawn by size and temperature", () => {
  const sources = three().map(({ share: _, ...entry }) => entry);
  const sizes = sources.map((entry) => entry.packed.corpus.numTokens ** (1 / 3));
  const source = new MixtureSource({ sources, seed: 4, microBatchSize: 100, temperature: 3 });
  source.next(10);
  const sum = sizes.reduce((total, size) => total + size, 0);
  const { a, b, c } = source.shares();
  for (const [i, share] of [a!, b!, c!].entries()) expect(Math.abs(share.sequences - (1000 * sizes[i]!) / sum)).toBeLessThanOrEqual(1);
});

test("epochs differ in order, and another seed draws another order", () => {
  const order = (seed: number) => {
    const source = new MixtureSource({ sources: [{ name: "a", packed: packed(long(40, 1), 8) }], seed, microBatchSize: 1 });
    return source.next(2 * packed(long(40, 1), 8).numSequences).flatMap(rows);
  };
  const both = order(1);
  const [first, second] = [both.slice(0, both.length / 2), both.slice(both.length / 2)];
  expect(first).not.toEqual(second);
  expect([...first].sort()).toEqual([...second].sort());
  expect(order(2)).not.toEqual(both);
});

test("mistakes are told with their place", () => {
  const [a, b] = three() as [MixtureEntry, MixtureEntry, MixtureEntry];
  const make = (more: Partial<MixtureOptions>) => new MixtureSource({ sources: [a, b], seed: 1, microBatchSize: 1, ...more });
  const { share: _, ...bare } = b;
  expect(() => make({ sources: [] })).toThrow("mixture.sources: expected at least one source");
  expect(() => make({ sources: [a, bare] })).toThrow('mixture source "b": expected either a share for every source');
  expect(() => make({ temperature: 2 })).toThrow("mixture.temperature: expected either");
  expect(() => make({ sources: [a, { ...b, name: "a" }] })).toThrow("mixture.sources[1].name");
  expect(() => make({ sources: [a, { ...b, share: -1 }] })).toThrow('share of "b": expected a number from 0, received -1');
  expect(() => make({ sources: [a, { ...b, epochs: 0 }] })).toThrow("mixture.sources[1].epochs");
  expect(() => make({ sources: [a, { ...b, packed: packed([5], 4) }] })).toThrow("expected 8, as in the first source, received 4");
  expect(() => make({ rank: 2, worldSize: 2 })).toThrow("rank: expected an integer from 0 to 1, received 2");
  expect(() => make({ microBatchSize: 0 })).toThrow("microBatchSize: expected a positive integer");
  expect(() => make({}).setShares({ c: 1 })).toThrow('received "c"');
  const state = make({}).state();
  expect(() => make({ sources: [a, { ...b, packed: packed([50], 8) }] }).restore(state)).toThrow(
    'source "b": expected the corpus and packing',
  );
  expect(() => make({}).restore({ ...state, step: -1 })).toThrow("source state step");
});
