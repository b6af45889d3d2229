import { expect, test } from "vitest";
import type { Document } from "../document.ts";
import { affinityWords, countWords } from "./affinity.ts";
import { contamination, expectedPrecision, MIN_CONTAMINATION, precision } from "./precision-filter.ts";

test("words of the language: mostly its own, and frequent in it", () => {
  const target = new Map<string, number>([
    ["azul", 85],
    ["deg", 84],
    ["rare", 1],
    ...Array.from({ length: 30 }, (_, i): [string, number] => [`x${i}`, 2]),
  ]);
  const others = [
    new Map([
      ["azul", 10],
      ["deg", 16],
    ]),
    new Map([
      ["azul", 5],
      ["unknown", 99],
    ]),
  ];
  expect(affinityWords(target, others)).toEqual(["azul"]); // 85/100 ≥ .85, 84/100 is not
  expect(affinityWords(target, others, { minAffinity: 0.84, countQuantile: 0.95 })).toEqual(["azul", "deg"]);
  expect(affinityWords(target, [], { minAffinity: 1, countQuantile: 0 })).toHaveLength(33);
  expect(affinityWords(new Map(), others)).toEqual([]);
});

test("words are counted without punctuation, with their case", () => {
  expect(countWords(["Azul, azul! «Azul»"], "kab_Latn")).toEqual(
    new Map([
      ["Azul", 2],
      ["azul", 1],
    ]),
  );
});

const document = (text: string, url?: string): Document => ({
  id: text,
  text,
  provenance: { file: "t" },
  metadata: {},
  annotations: {},
  ...(url && { url }),
});
const filter = precision({ language: "kab_Latn", words: ["azul"], urlDomains: [".dz"], urlTerms: ["kabyle", "tiziouzou"] });

test.each([
  ["azul fell-awen", undefined, true],
  ["Azul fell-awen", undefined, false],
  ["hello", "https://example.org/page", false],
  ["hello", "https://news.example.dz/page", true],
  ["hello", "https://example.org/.dz/page", false],
  ["hello", "https://example.org/kab/page", true],
  ["hello", "https://example.org/kabul", false],
  ["hello", "https://example.org/KABx", true],
  ["hello", "https://example.org/Tizi-Ouzou", true],
])("%s at %s is kept: %s", (text, url, kept) => expect(filter.decide(document(text, url)).kept).toBe(kept));

test("the gate is a share of removed documents", () => {
  const documents = ["azul", "hello", "hello you", "azul a"].map((text) => document(text));
  expect(contamination(documents, filter)).toBe(0.5);
  expect(contamination([], filter)).toBeLessThan(MIN_CONTAMINATION);
});

test("a rare language drowns in the errors of the classifier", () => {
  expect(expectedPrecision(0.5, 1, 0)).toBe(1);
  expect(expectedPrecision(0.0001, 0.9, 0.001)).toBeCloseTo(0.00009 / (0.00009 + 0.0009999), 12);
});
