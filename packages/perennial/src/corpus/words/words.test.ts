import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { splitOnWhitespace } from "./whitespace.ts";
import { intlWords } from "./words.ts";

const plain = (text: string, locale: string): string[] =>
  [...new Intl.Segmenter(locale, { granularity: "word" }).segment(text)]
    .map(({ segment }) => segment)
    .filter((segment) => splitOnWhitespace(segment).length > 0);

/** A segment may carry combining marks on a space; what counts is the text of the word. */
const trimmed = (words: string[]): string[] => words.map((word) => splitOnWhitespace(word).join(" "));

test("letters, digits and signs of English", () => {
  expect(intlWords("en")(`It's "3.14,5" (a_b), e-mail...\n\tx.org: don’t`)).toEqual([
    ...'It\'s|"|3.14,5|"|(|a_b|)|,|e|-|mail|.|.|.|x.org|:|don’t'.split("|"),
  ]);
});

const pages: { language: string; text: string }[] = JSON.parse(
  readFileSync(new URL("../filter/golden/pages.json", import.meta.url), "utf8"),
);

test.each([...new Set(pages.map(({ language }) => language))])(
  "the fast path finds the segmenter's words on real pages: %s",
  (language) => {
    const words = intlWords(language.slice(0, 3));
    for (const page of pages) if (page.language === language) expect(words(page.text)).toEqual(plain(page.text, language.slice(0, 3)));
  },
);

test("the fast path finds the segmenter's words on random strings", () => {
  const words = intlWords("en");
  const awkward = fc.constantFrom(..."aZ19_.,:;'\"’·-– \n\té\u0308\u200d\u00adяЖα٣שלุกไทย日本カひ👨‍👩‍👧🇫🇷😀\u202f\u2003\ufeff\r");
  const anyUnicode = fc.string({ unit: "binary" });
  const text = fc.oneof(
    fc.array(awkward, { maxLength: 30 }).map((units) => units.join("")),
    anyUnicode,
  );
  fc.assert(
    fc.property(text, (sample) => {
      expect(trimmed(words(sample))).toEqual(trimmed(plain(sample, "en")));
    }),
    { numRuns: 1500 },
  );
});

test("what was remembered is not changed by the caller", () => {
  const words = intlWords("ja");
  words("日本語").push("x");
  expect(words("日本語")).toEqual(["日本語"]);
});

test("a run without spaces that is longer than a window keeps its characters and its short words", () => {
  const run = "東京都に住む人は、😀日本語を話す。".repeat(600);
  const words = intlWords("ja")(run);
  expect(words.join("")).toBe(run);
  const short = plain("東京都に住む人は、😀日本語を話す。", "ja");
  const same = words.filter((word, i) => word === short[i % short.length]).length;
  expect(same / words.length).toBe(1);
  expect(intlWords("en")("x\u0301".repeat(5000)).join("")).toBe("x\u0301".repeat(5000));
});
