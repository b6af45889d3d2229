import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exactMatch } from "./exact-match.ts";
import { tokenF1 } from "./token-f1.ts";

const golden: { prediction: string; reference: string; exactMatch: number; f1: number }[] = JSON.parse(
  readFileSync(new URL("./golden/squad.json", import.meta.url), "utf8"),
);

test.each(golden)("SQuAD: $prediction / $reference", ({ prediction, reference, exactMatch: em, f1 }) => {
  expect(exactMatch(prediction, [reference])).toBe(em);
  expect(tokenF1(prediction, [reference])).toBeCloseTo(f1, 12);
});

test("the best reference counts", () => {
  expect(exactMatch("Paris", ["Rome", "paris."])).toBe(1);
  expect(tokenF1("big cat", ["dog", "big dog", "big black cat"])).toBeCloseTo(0.8, 12);
});

test("other normalizations", () => {
  expect(exactMatch("¿Qué?", ["qué"], "multilingual")).toBe(1);
  expect(exactMatch("¿Qué?", ["qué"])).toBe(0);
  expect(exactMatch("the A", ["A"], "multilingual")).toBe(0);
  expect(exactMatch("A", ["a"], "none")).toBe(0);
  expect(tokenF1("北京市。", ["北京"], { normalization: "multilingual", tokens: "characters" })).toBeCloseTo(0.8, 12);
});
