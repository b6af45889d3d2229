import fc from "fast-check";
import { expect, test } from "vitest";
import { Blend } from "./blend.ts";
import { normalize, ShareSchedule, sharesBySize } from "./shares.ts";

/** The published rule, as it stands: for sample n pick d maximizing w_d · max(n, 1) − count_d. */
function published(weights: readonly number[], samples: number): number[] {
  const counts = weights.map(() => 0);
  return Array.from({ length: samples }, (_, n) => {
    let best = 0;
    const lag = (d: number) => weights[d]! * Math.max(n, 1) - counts[d]!;
    for (let d = 1; d < weights.length; d++) if (lag(d) > lag(best)) best = d;
    counts[best]!++;
    return best;
  });
}

const weightsOf = fc
  .array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 6 })
  .map((parts) => Object.values(normalize(Object.fromEntries(parts.map((part, i) => [`s${i}`, part])))));

test("low discrepancy draws what the published rule draws, and stays within one sample of two shares, within two of up to six", () => {
  fc.assert(
    fc.property(weightsOf, (weights) => {
      const blend = new Blend("low-discrepancy", weights.length, 1);
      blend.setShares(weights);
      let largest = 0;
      const drawn = Array.from({ length: 400 }, () => {
        const source = blend.next();
        for (const [d, count] of blend.counts.entries()) largest = Math.max(largest, Math.abs(count - blend.target(d)));
        return source;
      });
      expect(largest).toBeLessThan(weights.length <= 2 ? 1 + 1e-9 : 2);
      expect(drawn).toEqual(published(weights, 400));
    }),
  );
});

test("a change of shares takes effect at once, without making up for the past", () => {
  const blend = new Blend("low-discrepancy", 2, 1);
  blend.setShares([0.9, 0.1]);
  for (let n = 0; n < 1000; n++) blend.next();
  expect(blend.counts).toEqual([900, 100]);
  blend.setShares([0.5, 0.5]);
  for (let n = 0; n < 100; n++) blend.next();
  expect(blend.counts).toEqual([950, 150]);
});

test("random draws follow the shares and never take a source without one", () => {
  const blend = new Blend("random", 3, 1);
  blend.setShares([0.75, 0, 0.25]);
  for (let n = 0; n < 10_000; n++) blend.next();
  expect(blend.counts[1]).toBe(0);
  expect(Math.abs(blend.counts[0]! - 7500)).toBeLessThan(220); // 5 standard deviations
});

test("temperature: p ∝ size^(1/τ)", () => {
  const sizes = { a: 1, b: 8 };
  expect(sharesBySize(sizes, 1)).toEqual({ a: 1 / 9, b: 8 / 9 });
  expect(sharesBySize(sizes, 3).a).toBeCloseTo(1 / 3, 12);
  expect(sharesBySize(sizes, 1e9).a).toBeCloseTo(0.5, 6);
  expect(sharesBySize({ a: 1e12, b: 1e15 }, 0.01).b).toBe(1);
  expect(() => sharesBySize(sizes, 0)).toThrow("mixture.temperature: expected a number above 0, received 0");
});

test("shares change at a step, or in a straight line", () => {
  const schedule = new ShareSchedule(
    ["a", "b"],
    [
      { step: 0, shares: { a: 3, b: 1 } },
      { step: 10, shares: { a: 1, b: 1 } },
      { step: 20, over: 10, shares: { b: 5 } },
    ],
  );
  expect(schedule.at(0)).toEqual([0.75, 0.25]);
  expect(schedule.at(9)).toEqual([0.75, 0.25]);
  expect(schedule.at(10)).toEqual([0.5, 0.5]);
  expect(schedule.at(20)).toEqual([0.5, 0.5]);
  expect(schedule.at(25)).toEqual([0.25, 0.75]);
  expect(schedule.at(30)).toEqual([0, 1]);
  expect(schedule.at(1e6)).toEqual([0, 1]);
});

test.each([
  [[{ step: 1, shares: { a: 1 } }], "mixture.schedule[0].step: expected 0, received 1"],
  [[{ step: 0, shares: { a: -1 } }], 'mixture.schedule[0] share of "a": expected a number from 0, received -1'],
  [[{ step: 0, shares: { a: 0 } }], "at least one share above 0"],
  [[{ step: 0, shares: { alfa: 1 } }], 'received "alfa"'],
  [
    [
      { step: 0, shares: { a: 1 } },
      { step: 5, over: 10, shares: { b: 1 } },
      { step: 9, shares: { a: 1 } },
    ],
    "mixture.schedule[2].step: expected an integer from 15, received 9",
  ],
])("a schedule that cannot be says where, %#", (changes, message) => {
  expect(() => new ShareSchedule(["a", "b"], changes)).toThrow(message);
});

test("half of replay: exactly ⌊n/2⌋ of the first n samples are old, the new source first", () => {
  const blend = new Blend("low-discrepancy", 2, 1);
  blend.setShares([0.5, 0.5]);
  for (let n = 1; n <= 100; n++) {
    blend.next();
    expect(blend.counts[1]).toBe(Math.floor(n / 2));
  }
});
