import fc from "fast-check";
import { expect, test } from "vitest";
import { cosine, randomOrder, similarOrder } from "./domain-order.ts";

const at = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
const domains = (angles: Readonly<Record<string, number>>) => Object.entries(angles).map(([name, angle]) => ({ name, vector: at(angle) }));

test("from 0° the domains at 10°, 25° and 90° are visited by angle, in whatever order they are given", () => {
  const angles = { south: 90, near: 10, far: 25, here: 0 };
  expect(similarOrder(at(0), [domains(angles)])).toEqual(["here", "near", "far", "south"]);
  expect(similarOrder(at(0), [domains(angles).reverse()])).toEqual(["here", "near", "far", "south"]);
});

test("a part is left only when it is done, and the next begins near its last domain", () => {
  expect(similarOrder(at(0), [domains({ a: 80, b: 20 }), domains({ c: 10, d: 90 })])).toEqual(["b", "a", "d", "c"]);
});

test("ties go by name", () => {
  expect(similarOrder(at(0), [domains({ z: 30, a: -30 })])).toEqual(["a", "z"]);
});

test("always a permutation", () => {
  const parts = fc.array(fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 359 }), { maxKeys: 6 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(parts, fc.integer(), (groups, seed) => {
      const named = groups.map((group, i) => domains(Object.fromEntries(Object.entries(group).map(([name, angle]) => [`${i}${name}`, angle])))); // biome-ignore format: one line
      const names = named.flat().map(({ name }) => name).sort(); // biome-ignore format: one line
      expect(similarOrder(at(0), named).sort()).toEqual(names);
      expect(randomOrder(names, seed).sort()).toEqual(names);
    }),
  );
});

test("cosine", () => {
  expect(cosine(at(0), at(60))).toBeCloseTo(0.5, 12);
  expect(cosine([0, 0], at(60))).toBe(0);
});
