import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { MemoryCorpus } from "../data/index.ts";
import { BatchBuilder } from "./batch.ts";
import { ExperienceReplay } from "./experience-replay.ts";
import { MixtureSource } from "./mixture-source.ts";
import { pack } from "./packing.ts";
import { ReplayBuffer, type ReplayBufferOptions } from "./replay-buffer.ts";
import { expectWellFormed } from "./source.conformance.ts";
import type { Batch } from "./source.ts";

const root = mkdtempSync(join(tmpdir(), "replay-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));

const T = 4;
const buffer = (more: Partial<ReplayBufferOptions> = {}) =>
  new ReplayBuffer({ folder: newFolder(), sequenceLength: T, vocabSize: 2 ** 20, mode: "reservoir", capacity: null, seed: 1, ...more });

/** One sequence whose first id is `number`. */
function sequence(number: number, source = "a") {
  const builder = new BatchBuilder(1, T);
  builder.inputIds.set([number, 1, 2, 3]);
  builder.labels.set([1, 2, -100, 4]);
  builder.documentIds.set([0, 0, 0, 1]);
  builder.positionIds.set([0, 1, 2, 0]);
  builder.count(source, 3);
  return { batch: builder.finish(), row: 0, source };
}

const fill = (target: ReplayBuffer, count: number) => {
  for (let n = 0; n < count; n++) target.add([sequence(n)]);
};

/** First ids of a draw. */
function draw(from: ReplayBuffer, count: number): number[] {
  return from.draw(count).map((row) => {
    const builder = new BatchBuilder(1, T);
    row.fill(builder, 0);
    return builder.inputIds[0]!;
  });
}

/** All that is held, by slot order of a full draw. */
const held = (from: ReplayBuffer) => draw(from, from.size).sort((a, b) => a - b);

test.each([100, 2 ** 20])("what is written comes back to the byte, vocabulary of %d", (vocabSize) => {
  const target = buffer({ vocabSize });
  target.add([sequence(vocabSize - 1, "kabyle")]);
  const [row] = target.draw(1);
  const builder = new BatchBuilder(2, T);
  expect(row!.fill(builder, 1)).toBe(3);
  expect(row!.source).toBe("kabyle");
  expect([...builder.inputIds.subarray(T)]).toEqual([vocabSize - 1, 1, 2, 3]);
  expect([...builder.labels.subarray(T)]).toEqual([1, 2, -100, 4]);
  expect([...builder.positionIds.subarray(T)]).toEqual([0, 1, 2, 0]);
  expect([...builder.documentIds.subarray(T)]).toEqual([0, 0, 0, 1]);
  target.close();
});

test("a reservoir keeps each of n records with probability capacity/n, χ² over 400 buffers", () => {
  const [capacity, n, trials] = [6, 20, 400];
  const kept = new Array<number>(n).fill(0);
  for (let seed = 0; seed < trials; seed++) {
    const target = buffer({ capacity, seed });
    fill(target, n);
    for (const number of held(target)) kept[number]!++;
    target.close();
  }
  const expected = (trials * capacity) / n;
  // Kept or not: each record is a binomial; the counts sum to a constant, which takes one degree of freedom and the factor (n − 1)/n.
  const chi2 = kept.reduce((sum, count) => sum + (count - expected) ** 2 / (expected * (1 - capacity / n)), 0) * ((n - 1) / n);
  expect(kept.reduce((sum, count) => sum + count, 0)).toBe(trials * capacity);
  expect(chi2).toBeLessThan(43.8); // 99.9 % of χ² with 19 degrees
});

test("draws are uniform over what is held, and without repetition in themselves", () => {
  const target = buffer();
  fill(target, 10);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 4000; i++) {
    const drawn = draw(target, 3);
    expect(new Set(drawn).size).toBe(3);
    for (const number of drawn) counts[number]!++;
  }
  const chi2 = counts.reduce((sum, count) => sum + (count - 1200) ** 2 / (1200 * 0.7), 0) * 0.9;
  expect(chi2).toBeLessThan(27.9); // 99.9 % of χ² with 9 degrees
  target.close();
});

test("a window holds the newest records, on bounded disk", () => {
  const target = buffer({ mode: "window", capacity: 5 });
  fill(target, 23);
  expect(held(target)).toEqual([18, 19, 20, 21, 22]);
  target.close();
});

test("the disk is bounded: capacity, and the undo of the last states", () => {
  const folder = newFolder();
  const target = buffer({ folder, mode: "window", capacity: 4, keepStates: 2 });
  for (let n = 0; n < 200; n++) {
    target.add([sequence(n)]);
    if (n % 10 === 9) target.state();
  }
  const recordBytes = (1 + 2 * T) * 4;
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThanOrEqual(4 * recordBytes + 3 * 10 * (recordBytes + 8) + 8);
  target.close();
});

test("a resumed buffer holds and draws what an uninterrupted one does, whatever was written after the state", () => {
  const modes = fc.constantFrom<Partial<ReplayBufferOptions>>(
    { mode: "reservoir", capacity: 7 },
    { mode: "reservoir", capacity: null },
    { mode: "window", capacity: 7 },
  );
  fc.assert(
    fc.property(
      modes,
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 3 }),
      (mode, before, lost, marks) => {
        const folder = newFolder();
        const [whole, killed] = [buffer(mode), buffer({ ...mode, folder })];
        for (const target of [whole, killed]) {
          fill(target, before);
          draw(target, Math.min(2, target.size));
        }
        const state = JSON.stringify(killed.state());
        for (let n = 0; n < lost; n++) {
          killed.add([sequence(1000 + n)]);
          draw(killed, 1);
          if (n % 10 < marks && n < 3 * marks) killed.state();
        }
        killed.close();
        const resumed = buffer({ ...mode, folder });
        resumed.restore(JSON.parse(state));
        for (let n = 0; n < 12; n++) {
          for (const target of [whole, resumed]) target.add([sequence(500 + n)]);
          expect(draw(resumed, Math.min(3, resumed.size))).toEqual(draw(whole, Math.min(3, whole.size)));
        }
        expect(held(resumed)).toEqual(held(whole));
        whole.close();
        resumed.close();
      },
    ),
    { numRuns: 40 },
  );
});

test("a state that is too old is refused, not answered with other records", () => {
  const target = buffer({ mode: "window", capacity: 2, keepStates: 2 });
  const old = target.state();
  for (let n = 0; n < 5; n++) {
    fill(target, 3);
    target.state();
  }
  expect(() => target.restore(old)).toThrow("the last 2 checkpoints only");
  expect(() => target.restore({ ...old, shape: "other" })).toThrow("replay buffer: expected the state of a buffer of 2 sequences");
  target.close();
});

test("reading ahead changes no draw, whether it ends in time or not", async () => {
  const [plain, ahead] = [buffer(), buffer()];
  fill(plain, 30);
  fill(ahead, 30);
  for (let i = 0; i < 6; i++) {
    ahead.readAhead(5);
    if (i % 2 === 0) await new Promise((done) => setTimeout(done, 5));
    expect(draw(ahead, 5)).toEqual(draw(plain, 5));
  }
  ahead.readAhead(5);
  ahead.close();
  plain.close();
});

const corpus = () => {
  let next = 0;
  const documents = Array.from({ length: 60 }, (_, i) => Array.from({ length: 3 + (i % 9) }, () => next++));
  return pack(new MemoryCorpus(documents, { hash: "corpus" }), { sequenceLength: T, packing: "best-fit" });
};
const experience = (folder: string, share = 0.25, startStep = 2) =>
  new ExperienceReplay({
    fresh: new MixtureSource({ sources: [{ name: "a", packed: corpus() }], seed: 5, microBatchSize: 1 }),
    buffer: buffer({ folder }),
    share,
    startStep,
    microBatchSize: 4,
  });
const firstIds = (batch: Batch) => Array.from({ length: batch.batchSize }, (_, row) => batch.inputIds[row * T]!);

test("⌊α·B⌋ sequences of a step are old, after the start; the batch is full and well-formed", () => {
  const source = experience(newFolder(), 0.3);
  const seen = new Set<number>();
  for (let step = 0; step < 5; step++) {
    const batches = source.next(2);
    for (const batch of batches) expectWellFormed(batch);
    const ids = batches.flatMap(firstIds);
    const numOld = step < 2 ? 0 : 2;
    const [fresh, old] = [ids.slice(0, 8 - numOld), ids.slice(8 - numOld)];
    // Old ones come from earlier steps, never from this one.
    expect(old.every((id) => seen.has(id))).toBe(true);
    for (const id of fresh) seen.add(id);
  }
  const { a, replayed } = source.shares();
  expect(replayed!.sequences).toBe(6);
  expect(a!.sequenceShare + replayed!.sequenceShare).toBeCloseTo(1, 12);
  expect(a!.targetTokenShare + replayed!.targetTokenShare).toBeCloseTo(1, 12);
});

test("without a share it is the source itself", () => {
  const plain = new MixtureSource({ sources: [{ name: "a", packed: corpus() }], seed: 5, microBatchSize: 4 });
  expect(experience(newFolder(), 0).next(3)).toEqual(plain.next(3));
});

test("a resumed run sees the batches of an uninterrupted one", () => {
  const folder = newFolder();
  const [whole, killed] = [experience(newFolder()), experience(folder)];
  for (let step = 0; step < 4; step++) expect(killed.next(1)).toEqual(whole.next(1));
  const state = JSON.stringify(killed.state());
  killed.next(2);
  const resumed = experience(folder);
  resumed.restore(JSON.parse(state));
  for (let step = 0; step < 4; step++) expect(resumed.next(1)).toEqual(whole.next(1));
  expect(resumed.shares()).toEqual(whole.shares());
});
