import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { corpusNative } from "../native.ts";
import { candidateProbability, hpltMinHash, MinHasher, minHashSchema, similarityThreshold } from "./minhash.ts";
import { foldWordsPlain, wordFold } from "./normalize.ts";

const golden = JSON.parse(readFileSync(new URL("./golden/minhash.json", import.meta.url), "utf8")) as {
  multipliers: string[];
  increments: string[];
  texts: string[];
  folded: string[];
  signatures: (string[] | null)[];
};
const fineweb = minHashSchema.parse({ method: "minhash" });

test.each([
  [0.5, 0.0533],
  [0.7, 0.5645],
  [0.75, 0.7716],
  [0.8, 0.9235],
  [0.9, 0.9996],
])("FineWeb2 finds a pair of similarity %f with probability %f", (similarity, probability) => {
  expect(candidateProbability(similarity, fineweb)).toBeCloseTo(probability, 4);
});

test.each([
  [0.8, 0.456],
  [0.85, 0.789],
  [0.9, 0.98],
])("HPLT finds a pair of similarity %f with probability %f", (similarity, probability) => {
  expect(candidateProbability(similarity, hpltMinHash)).toBeCloseTo(probability, 3);
});

test("thresholds: FineWeb2 0.719, HPLT 0.828", () => {
  expect(similarityThreshold(fineweb)).toBeCloseTo(0.719, 3);
  expect(similarityThreshold(hpltMinHash)).toBeCloseTo(0.828, 3);
});

test("texts are folded as by the reference implementation", () => {
  expect(golden.texts.map(foldWordsPlain)).toEqual(golden.folded);
});

test("signatures equal the reference implementation's", () => {
  const hasher = new MinHasher(fineweb);
  const found = golden.texts.map((text) => {
    const signature = hasher.signature({ text });
    return signature ? Array.from(signature, String) : null;
  });
  expect(found).toEqual(golden.signatures);
});

test("the permutations are numpy's, with the wrap at 2^64", () => {
  // The published constants, and the smallest check of them: one shingle gives φ_i of its own hash.
  expect(golden.multipliers.slice(0, 3)).toEqual(["775169054918279404", "1758426461858698313", "2109959069025162"]);
  expect(golden.increments.slice(0, 3)).toEqual(["1062448801025099917", "1324811268927594100", "1217488311597731462"]);
  const p = 2n ** 61n - 1n;
  const permuted = (h: bigint) =>
    golden.multipliers.map((a, i) => ((BigInt(a) * h + BigInt(golden.increments[i]!)) & (2n ** 64n - 1n)) % p);
  expect(golden.multipliers[111]).toBe("223865076026037746");
  expect(permuted(1n).slice(0, 3)).toEqual([1837617855943379321n, 777394721572598462n, 1219598270666756624n]);
  expect(permuted(2n ** 64n - 1n).slice(0, 3)).toEqual([287279746106820513n, 1872227816282589746n, 1215378352528706300n]);
  const expected = permuted(xxh64Plain("a b c d e"));
  expect(Array.from(new MinHasher(fineweb).signature({ text: "a b c d e" })!)).toEqual(expected);
});

/** XXH64 of fewer than 32 bytes, seed 0, from its specification. */
function xxh64Plain(text: string): bigint {
  const mask = 2n ** 64n - 1n;
  const [p1, p2, p3, p4, p5] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];
  const rotate = (x: bigint, r: bigint) => ((x << r) | (x >> (64n - r))) & mask;
  const bytes = Buffer.from(text);
  let at = 0;
  let hash = (p5 + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8) {
    const lane = (rotate((bytes.readBigUInt64LE(at) * p2) & mask, 31n) * p1) & mask;
    hash = (rotate(hash ^ lane, 27n) * p1 + p4) & mask;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]!) * p5) & mask), 11n) * p1) & mask;
  hash = ((hash ^ (hash >> 33n)) * p2) & mask;
  hash = ((hash ^ (hash >> 29n)) * p3) & mask;
  return hash ^ (hash >> 32n);
}

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc
    .array(fc.constantFrom("Σ", "Ο", "ς", "'", "\u0301", " ", "1", "٣", ".", ",", "İ", "≠", "\ud83d", "\udc00", "ก็", "é", "\u200b"), {
      maxLength: 20,
    })
    .map((parts) => parts.join("")),
);

test("the table folds as the plain rules do, on any text", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(corpusNative().foldWords(wordFold(), text)).toBe(foldWordsPlain(text));
    }),
    { numRuns: 3000 },
  );
});

test("every code point between letters folds as the plain rules do", () => {
  const wrong: string[] = [];
  for (let code = 0; code < 0x110000; code += code < 0x30000 ? 1 : 257) {
    const text = `A${String.fromCodePoint(code)}b`;
    if (corpusNative().foldWords(wordFold(), text) !== foldWordsPlain(text)) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});

test("texts shorter than a shingle have no signature", () => {
  const hasher = new MinHasher(fineweb);
  expect(hasher.signature({ text: "only four words here" })).toBeUndefined();
  expect(hasher.signature({ text: "now there are five words" })).toBeDefined();
  expect(hasher.signature({ text: "" })).toBeUndefined();
});

test("scripts without spaces are cut into words first", () => {
  const hasher = new MinHasher(fineweb);
  const text = "我们今天在学校里学习中文和数学。";
  expect(hasher.signature({ text })).toBeUndefined();
  expect(hasher.signature({ text, script: "Hans" })).toBeDefined();
});

test("a set of words is the same whatever their order and count", () => {
  const hasher = new MinHasher(hpltMinHash);
  expect(hasher.signature({ text: "b a c a b" })).toEqual(hasher.signature({ text: "c b a" }));
  expect(Math.max(...Array.from(hasher.signature({ text: "c b a" })!, Number))).toBeLessThan(2 ** 32);
});

test("keys are equal where bands are, and differ between name spaces", () => {
  const hasher = new MinHasher(fineweb);
  const keys = (text: string, nameSpace: string) => {
    const out = new BigUint64Array(28);
    hasher.keys({ text }, nameSpace, out);
    return Array.from(out);
  };
  const text = golden.texts[0]!;
  expect(keys(text, "eng")).toEqual(keys(`  ${text.toUpperCase()}!`, "eng"));
  const other = new Set(keys(text, "fra"));
  expect(keys(text, "eng").filter((key) => other.has(key))).toEqual([]);
});
