import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Document } from "../document.ts";
import { AhoCorasick } from "./aho-corasick.ts";
import { c4BadWords } from "./c4-bad-words.ts";
import { applyFilters, defineFilter, drop, keep } from "./define.ts";
import { finewebQuality } from "./fineweb-quality.ts";
import { gopherQuality } from "./gopher-quality.ts";
import { gopherRepetition } from "./gopher-repetition.ts";
import { secrets } from "./secrets.ts";
import { englishProfile, statistics } from "./statistics.ts";

const english = (text: string, rest: Partial<Document> = {}): Document => ({
  id: "1",
  text,
  language: "eng",
  script: "Latn",
  provenance: { file: "test" },
  metadata: {},
  annotations: {},
  ...rest,
});

test("the repeated sentence of the specification", () => {
  const document = english("the cat sat on the mat the cat sat on the mat");
  const { characters, top2GramCharacterShare, duplicate5GramCharacterShare } = statistics(document);
  expect(characters).toBe(45);
  expect(top2GramCharacterShare).toBeCloseTo(14 / 45, 12);
  expect(duplicate5GramCharacterShare).toBeCloseTo(14 / 45, 12);
  expect(gopherRepetition.filter().decide(document)).toEqual(drop("top-2-gram-character-share-above-max", 14 / 45, 0.2));
  expect(gopherRepetition.filter({ maxTop2Gram: null, maxTop3Gram: null, maxTop4Gram: null }).decide(document)).toEqual(
    drop("duplicate-5-gram-character-share-above-max", 14 / 45, 0.15),
  );
});

/** The definition, word by word. */
function duplicateCharacters(words: string[], n: number): number {
  const seen = new Set<string>();
  let characters = 0;
  for (let i = 0; i + n <= words.length; ) {
    const gram = words.slice(i, i + n).join("");
    if (seen.has(gram)) {
      characters += [...gram].length;
      i += n;
    } else {
      seen.add(gram);
      i++;
    }
  }
  return characters;
}

test("duplicate n-grams are told by their characters, not by their division into words", () => {
  const word = fc.constantFrom("a", "b", "ab", "ba", "aab", "😀", "é");
  fc.assert(
    fc.property(fc.array(word, { minLength: 5, maxLength: 60 }), (words) => {
      const document = english(words.join(" "));
      const values = statistics(document, { ...englishProfile, words: () => words });
      for (const n of [5, 7, 10] as const)
        expect(values[`duplicate${n}GramCharacterShare`]).toBeCloseTo(duplicateCharacters(words, n) / values.characters, 12);
    }),
    { numRuns: 500 },
  );
});

test("a stored record gives the same decision as the text, also with other thresholds", () => {
  const document = english("- one two three\n- four five six\nseven. ".repeat(9));
  const stored = JSON.parse(JSON.stringify(statistics(document)));
  for (const rule of [gopherRepetition, finewebQuality, gopherQuality]) {
    const off = Object.fromEntries(Object.keys(rule.bounds).map((name) => [name, null]));
    expect(rule.decide(stored, rule.schema.parse({}) as never)).toEqual(rule.filter().decide(document));
    expect(rule.decide(stored, off as never)).toEqual(keep);
  }
});

test("an empty document is dropped by a bound, never by a division", () => {
  for (const rule of [gopherRepetition, finewebQuality, gopherQuality]) {
    const decision = rule.filter().decide(english(""));
    expect(decision).toMatchObject({ kept: false, value: 0 });
  }
  expect(Object.values(statistics(english(" \n"))).every(Number.isFinite)).toBe(true);
});

test("any string has finite statistics, shares between 0 and 1", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      for (const [name, value] of Object.entries(statistics(english(text)))) {
        expect(value).toBeGreaterThanOrEqual(0);
        if (name.endsWith("LineShare") || name.endsWith("WordShare")) expect(value).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 300 },
  );
});

test("an unknown threshold is an error", () => {
  expect(() => gopherQuality.filter({ minWord: 3 } as never)).toThrow(/minWord/);
});

test("the first drop ends the chain and is recorded on the document", () => {
  const shorten = defineFilter("shorten", z.strictObject({}), () => ({ text }) => ({ ...keep, text: text.slice(0, 4) }));
  const atMost = defineFilter("at-most", z.strictObject({ max: z.number() }), ({ max }) => ({ text }) => {
    return text.length > max ? drop("too-long", text.length, max) : keep;
  });
  expect(applyFilters([shorten({}), atMost({ max: 4 })], english("abcdefg"))).toEqual({ document: english("abcd") });
  const { document, dropped } = applyFilters([shorten({}), atMost({ max: 3 }), atMost({ max: 1 })], english("abcdefg"));
  expect(dropped).toEqual({ filter: "at-most", reason: "too-long", value: 4, threshold: 3 });
  expect(document.annotations).toEqual({ dropped });
});

test("bad words stand alone, except where there are no spaces", () => {
  const filter = c4BadWords({ words: { eng: ["bad", "very c++"], jpn: ["悪"] } });
  expect(filter.decide(english("A BAD day"))).toEqual(drop("bad-word", "bad"));
  expect(filter.decide(english("badly, very c++"))).toEqual(drop("bad-word", "very c++"));
  expect(filter.decide(english("badly _bad bad2 sébad"))).toEqual(keep);
  expect(filter.decide(english("最悪だ", { language: "jpn" }))).toEqual(drop("bad-word", "悪"));
  expect(() => filter.decide(english("mal", { language: "fra" }))).toThrow(/one of eng, jpn, received "fra"/);
});

test("a share of documents with bad words stays, the same ones in any order", () => {
  const filter = c4BadWords({ words: { eng: ["bad"] }, keepFraction: 0.25, seed: 3 });
  const ids = Array.from({ length: 2000 }, (_, i) => `doc-${i}`);
  const kept = (order: string[]) => new Set(order.filter((id) => filter.decide(english("bad", { id })).kept));
  expect(kept(ids)).toEqual(kept(ids.toReversed()));
  expect(kept(ids).size / ids.length).toBeCloseTo(0.25, 1);
});

test("secrets of more than ten characters drop a document, without being repeated", () => {
  const filter = secrets({ strings: ["AKIA0123456789", "password"] });
  expect(filter.decide(english("key=AKIA0123456789;"))).toEqual(drop("secret"));
  expect(filter.decide(english("the password AKIA012345678"))).toEqual(keep);
});

test("many strings are found in one pass as one by one", () => {
  const patterns = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 4 }), { maxLength: 6 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
  fc.assert(
    fc.property(patterns, text, (some, sample) => {
      const filled = some.filter((pattern) => pattern !== "");
      const found = new AhoCorasick(some).first(sample);
      expect(found === undefined).toBe(!filled.some((pattern) => sample.includes(pattern)));
      if (found !== undefined) expect(filled.filter((pattern) => sample.includes(pattern))).toContain(found);
    }),
    { numRuns: 1000 },
  );
  expect([...new AhoCorasick(["he", "she", "hers"]).all("ushers")]).toEqual(["she", "hers"]);
});
