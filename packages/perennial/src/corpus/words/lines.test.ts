import { expect, test } from "vitest";
import { codePoints, endsSentence, hasLetter, isCore } from "./characters.ts";
import { brokenLines, filledLines, lineRuns, paragraphs } from "./lines.ts";
import { sentences } from "./sentences.ts";
import { isBlank, splitOnWhitespace, trim } from "./whitespace.ts";

const text = "\n\na\r\nb\n \n\nc\u2028d\n";

test("the three kinds of line and the paragraph differ", () => {
  expect(lineRuns(text)).toEqual(["", "a\r", "b", " ", "c\u2028d", ""]);
  expect(filledLines(text)).toEqual(["a\r", "b", "c\u2028d"]);
  expect(brokenLines(text)).toEqual(["", "", "a", "b", " ", "", "c", "d"]);
  expect(paragraphs(text)).toEqual(["a\r\nb\n ", "c\u2028d"]);
  expect(brokenLines("")).toEqual([]);
  expect(brokenLines("a\r\r\n\x1eb")).toEqual(["a", "", "", "b"]);
});

test("white space holds the separators U+001C–1F and not the byte order mark", () => {
  expect(trim("\x1c\x85 a\ufeff\u3000")).toBe("a\ufeff");
  expect([isBlank("\x1f\u2028"), isBlank("\ufeff"), isBlank("")]).toEqual([true, false, true]);
  expect(splitOnWhitespace(" a\u00a0b\x1dc ")).toEqual(["a", "b", "c"]);
});

test("character classes reach beyond the basic plane", () => {
  expect(["...", "𑑋", "—", "😀", "a.", "$", ""].map(isCore)).toEqual([false, false, false, true, true, false, false]);
  expect(["12", "a1", "𐐷", "😀", "日"].map(hasLetter)).toEqual([false, true, true, false, true]);
  expect(["fin.", "fin。", "fin𑑋", "fin।", 'fin"', "fin", ""].map(endsSentence)).toEqual([true, true, true, true, false, false, false]);
  expect([codePoints("a😀b"), codePoints("a\ud83d"), codePoints("日本")]).toEqual([3, 2, 2]);
});

test("sentences", () => {
  expect(sentences("One here. Two 3.4 there! \n Three?  ", "eng_Latn")).toEqual(["One here.", "Two 3.4 there!", "Three?"]);
  expect(sentences("私は行く。君は？来る。", "jpn_Jpan")).toEqual(["私は行く。", "君は？", "来る。"]);
  expect(sentences("मैं जाता हूँ। तुम आओ।", "hin_Deva")).toHaveLength(2);
});
