import fc from "fast-check";
import { expect, test } from "vitest";
import { Stream, stream } from "./stream.ts";

test("xoshiro128** with state 1,2,3,4 gives the reference implementation's first words", () => {
  const s = new Stream({ words: [1, 2, 3, 4] });
  expect([s.uint32(), s.uint32(), s.uint32(), s.uint32()]).toEqual([11520, 0, 5927040, 70819200]);
});

test("a stream is a function of seed and name", () => {
  expect(stream(1, "data").uint32()).toBe(stream(1, "data").uint32());
  expect(stream(1, "data").uint32()).not.toBe(stream(2, "data").uint32());
  expect(stream(1, "data").uint32()).not.toBe(stream(1, "dropout").uint32());
});

test("restores bit for bit, through JSON", () => {
  const whole = stream(7, "x");
  whole.uniform();
  const resumed = stream(8, "y");
  resumed.restore(JSON.parse(JSON.stringify(whole.state())));
  expect([resumed.normal(), resumed.integer(10), resumed.uniform()]).toEqual([whole.normal(), whole.integer(10), whole.uniform()]);
});

test("integers stay below their limit, uniforms in [0, 1)", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (seed, limit) => {
      const s = stream(seed, "p");
      const n = s.integer(limit);
      const u = s.uniform();
      return n >= 0 && n < limit && u >= 0 && u < 1;
    }),
  );
});

test("a shuffle is a permutation, and normals have mean 0 and variance 1", () => {
  const s = stream(3, "shuffle");
  expect(s.shuffle(Array.from({ length: 100 }, (_, i) => i)).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  const draws = Array.from({ length: 20_000 }, () => s.normal());
  const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length - 1)).toBeLessThan(0.05);
});
