import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { NgramModel } from "./ngram-model.ts";
import { PairTable } from "./pair-table.ts";
import { type Candidate, selectByPerplexity } from "./select-by-perplexity.ts";

const model = (order: number, texts: readonly string[], unit: "word" | "byte" = "word") => {
  const ngrams = new NgramModel({ order, unit });
  for (const text of texts) ngrams.add(text);
  return ngrams;
};

test("a unigram model by hand: a a b, discounts 1/2 and 1 (n₃ = 0), V = 3", () => {
  // γ = (1/2 + 1)/3 = 1/2: p(a) = (2 − 1)/3 + 1/6, p(b) = (1 − 1/2)/3 + 1/6, p(unknown) = 1/6
  const unigrams = model(1, ["a a b"]);
  expect(unigrams.conditional([], "a")).toBeCloseTo(1 / 2, 12);
  expect(unigrams.conditional([], "b")).toBeCloseTo(1 / 3, 12);
  expect(unigrams.conditional([], "never seen")).toBeCloseTo(1 / 6, 12);
  expect(unigrams.perplexity("a b")).toBeCloseTo(Math.sqrt(6), 12);
});

test("discounts from counts: n₁ = 4, n₂ = 2, n₃ = n₄ = 1 give Y = 1/2, D = 1/2, 5/4, 1", () => {
  const text = "a b c d  e e f f  g g g  h h h h";
  const unigrams = model(1, [text]);
  const gamma = (4 * 0.5 + 2 * 1.25 + 2 * 1) / 15;
  expect(unigrams.conditional([], "a")).toBeCloseTo(0.5 / 15 + gamma / 9, 12);
  expect(unigrams.conditional([], "e")).toBeCloseTo(0.75 / 15 + gamma / 9, 12);
  expect(unigrams.conditional([], "h")).toBeCloseTo(3 / 15 + gamma / 9, 12);
});

test("shorter n-grams count the words they follow: Francisco is frequent, but after San only", () => {
  const bigrams = model(2, ["San Francisco", "San Francisco", "San Francisco", "San Francisco", "the glass", "a glass", "my glass"]);
  expect(bigrams.conditional(["your"], "glass")).toBeGreaterThan(bigrams.conditional(["your"], "Francisco"));
  expect(bigrams.conditional(["San"], "Francisco")).toBeGreaterThan(0.5);
});

test.each([3, 5])("order %d: what KenLM gives to documents", (order) => {
  // Written by tools/golden/kenlm.py. The end of a text, which KenLM predicts, is a word here.
  const golden = JSON.parse(readFileSync(new URL("golden/kenlm.json", import.meta.url), "utf8")) as Record<string, number[]>;
  const lines = gunzipSync(readFileSync(new URL("../../../../../examples/quickstart/english.jsonl.gz", import.meta.url))).toString();
  const texts = lines.split("\n").slice(0, 425).map((line) => `${(JSON.parse(line) as { text: string }).text} ⏹`); // biome-ignore format: one line
  const ngrams = model(order, texts.slice(0, 400));
  for (const [i, expected] of golden[order]!.entries()) {
    const { logProbability } = ngrams.score(texts[400 + i]!);
    expect(Math.abs(logProbability / Math.LN10 / expected - 1), `document ${i}`).toBeLessThan(1e-5);
  }
});

test("probabilities sum to 1 after any history, seen or not", () => {
  const words = ["a", "b", "c", "d"];
  const texts = fc.array(fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      texts,
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom(...words, "x"), { maxLength: 5 }),
      (lists, order, history) => {
        const ngrams = model(order, lists.map((list) => list.join(" "))); // biome-ignore format: one line
        const known = [...new Set(lists.flat())];
        const sum = [...known, "unknown"].reduce((total, word) => total + ngrams.conditional(history, word), 0);
        expect(sum).toBeCloseTo(1, 10);
      },
    ),
  );
});

test("perplexity is per word: a text twice as long is not twice as odd; the model's own text is likelier than other text", () => {
  const random = stream(1, "words");
  const sentence = (words: readonly string[]) => Array.from({ length: 200 }, () => words[random.integer(words.length)]).join(" ");
  const here = ["sea", "blue", "deep"];
  const trigrams = model(3, [sentence(here)]);
  const text = sentence(here);
  expect(trigrams.perplexity(`${text} ${text}`) / trigrams.perplexity(text)).toBeCloseTo(1, 0);
  expect(trigrams.perplexity(text)).toBeLessThan(4);
  expect(trigrams.perplexity(sentence(["itsasoa", "urdina"]))).toBeGreaterThan(1.5 * trigrams.perplexity(text));
  expect(trigrams.perplexity("")).toBeNaN();
});

test("bytes: languages come apart", () => {
  const english = model(4, ["the cat sat on the mat and the dog lay on the rug ".repeat(4)], "byte");
  expect(english.perplexity("the dog sat on the mat")).toBeLessThan(english.perplexity("der Hund lag auf der Matte"));
});

test("the table of pairs is exact", () => {
  const random = stream(2, "pairs");
  const [table, plain] = [new PairTable(), new Map<string, number>()];
  for (let i = 0; i < 100_000; i++) {
    const [parent, word] = [random.integer(2 ** 20), random.integer(8)];
    const key = `${parent}/${word}`;
    if (!plain.has(key)) plain.set(key, plain.size + 1);
    if (table.add(parent, word) !== plain.get(key)) expect.fail(key);
  }
  for (const [key, value] of plain) {
    const [parent, word] = key.split("/").map(Number) as [number, number];
    if (table.get(parent, word) !== value) expect.fail(key);
  }
  expect(table.get(2 ** 31, 5)).toBe(0);
});

test("the best texts up to the budget, whatever the order of the pool", () => {
  const pool: Candidate[] = [5, 1, 3, 1, 9].map((perplexity) => ({ perplexity, words: 10, size: 4 }));
  expect(selectByPerplexity(pool, { budget: 12 })).toEqual([1, 3, 2]);
  expect(selectByPerplexity(pool, { budget: 9 })).toEqual([1, 3, 2]); // the text that reaches the budget is in
  expect(selectByPerplexity([{ perplexity: 0.1, words: 2, size: 1 }, ...pool], { budget: 4, minWords: 3 })).toEqual([2]);
  const perplexities = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(perplexities, fc.integer({ min: 1, max: 100 }), fc.integer(), (list, budget, seed) => {
      const chosen = (order: readonly number[]) =>
        selectByPerplexity(order.map((perplexity) => ({ perplexity, words: 9, size: 1 + (perplexity % 7) })), { budget }).map((i) => order[i]); // biome-ignore format: one line
      expect(chosen(stream(seed, "order").shuffle([...list]))).toEqual(chosen(list));
    }),
  );
});
