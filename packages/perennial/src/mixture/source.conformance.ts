import { expect, test } from "vitest";
import type { Batch, Source } from "./source.ts";

/** What every `Source` has to pass. `make` gives a new source that is good for at least 16 micro-batches. */
export function conformsToSource(name: string, make: (seed: number) => Source): void {
  test(`${name}: same seed, same batches`, () => {
    expect(make(1).next(8)).toEqual(make(1).next(8));
  });

  test(`${name}: restores bit for bit, through JSON, at every step`, () => {
    const whole = make(1);
    for (let step = 0; step < 4; step++) {
      const state = JSON.stringify(whole.state());
      const expected = whole.next(1 + step);
      const resumed = make(2);
      resumed.restore(JSON.parse(state));
      expect(resumed.next(1 + step)).toEqual(expected);
      expect(resumed.state()).toEqual(whole.state());
    }
  });

  test(`${name}: a state is a snapshot, and small`, () => {
    const source = make(1);
    source.next(2);
    const state = source.state();
    const before = JSON.stringify(state);
    source.next(2);
    expect(JSON.stringify(state)).toBe(before);
    expect(before.length).toBeLessThan(20_000);
  });

  test(`${name}: batches are well-formed and stay the caller's`, () => {
    const source = make(3);
    const batches = source.next(4);
    expect(batches).toHaveLength(4);
    const copy = structuredClone(batches);
    source.next(2);
    expect(batches).toEqual(copy);
    for (const batch of batches) expectWellFormed(batch);
  });
}

export function expectWellFormed(batch: Batch): void {
  const { batchSize, sequenceLength, inputIds, labels, positionIds, documentIds } = batch;
  for (const array of [inputIds, labels, positionIds, documentIds]) expect(array).toHaveLength(batchSize * sequenceLength);
  expect(labels.reduce((count, label) => count + (label === -100 ? 0 : 1), 0)).toBe(batch.targetTokens);
  expect(Object.values(batch.targetTokensBySource).reduce((sum, count) => sum + count, 0)).toBe(batch.targetTokens);
  const faults: string[] = [];
  for (let i = 0; i < inputIds.length; i++) {
    if (inputIds[i]! < 0 || (labels[i]! < 0 && labels[i] !== -100)) faults.push(`${i}: id below 0`);
    if (i % sequenceLength === 0) {
      if (positionIds[i] !== 0 || documentIds[i] !== 0) faults.push(`${i}: a row begins with position 0 of document 0`);
      continue;
    }
    const sameDocument = documentIds[i] === documentIds[i - 1];
    if (!sameDocument && documentIds[i] !== documentIds[i - 1]! + 1) faults.push(`${i}: documents are numbered in order`);
    if (positionIds[i] !== (sameDocument ? positionIds[i - 1]! + 1 : 0)) faults.push(`${i}: positions count inside a document`);
    if (labels[i - 1] !== -100 && sameDocument && labels[i - 1] !== inputIds[i])
      faults.push(`${i}: a label is the next input of its document`);
  }
  expect(faults).toEqual([]);
}
