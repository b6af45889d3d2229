import fc from "fast-check";
import { expect, test } from "vitest";
import { Permutation } from "./permutation.ts";

test("every size is a bijection", () => {
  for (let size = 1; size <= 300; size++) {
    const permutation = new Permutation(size, 7, "p");
    const seen = new Set(Array.from({ length: size }, (_, i) => permutation.at(i)));
    expect(seen.size).toBe(size);
    expect(Math.max(...seen)).toBe(size - 1);
  }
});

test("large sizes stay in range and do not collide", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2 ** 31, max: 2 ** 52 }), fc.integer(), (size, seed) => {
      const permutation = new Permutation(size, seed, "p");
      const images = Array.from({ length: 50 }, (_, i) => permutation.at(i));
      expect(new Set(images).size).toBe(50);
      expect(images.every((image) => Number.isSafeInteger(image) && image >= 0 && image < size)).toBe(true);
    }),
  );
});

test("neighbors are torn apart, and keys and names matter", () => {
  const size = 100_000;
  const permutation = new Permutation(size, 1, "a");
  let [near, fixed, distance] = [0, 0, 0];
  for (let i = 0; i < size - 1; i++) {
    const step = Math.abs(permutation.at(i + 1) - permutation.at(i));
    distance += step / size;
    if (step < 100) near++;
    if (permutation.at(i) === i) fixed++;
  }
  expect(distance / size).toBeCloseTo(1 / 3, 2); // of two uniform draws
  expect(near).toBeLessThan(300); // 200 expected
  expect(fixed).toBeLessThan(10); // 1 expected
  const same = (other: Permutation) => Array.from({ length: 1000 }, (_, i) => other.at(i) === permutation.at(i)).filter(Boolean).length;
  expect(same(new Permutation(size, 2, "a"))).toBeLessThan(10);
  expect(same(new Permutation(size, 1, "b"))).toBeLessThan(10);
  expect(same(new Permutation(size, 1, "a"))).toBe(1000);
});

test("all orders of three occur about equally often", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const permutation = new Permutation(3, seed, "p");
    const order = [0, 1, 2].map((i) => permutation.at(i)).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150); // 5 standard deviations
});
