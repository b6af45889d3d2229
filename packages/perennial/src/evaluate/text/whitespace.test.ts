import { expect, test } from "vitest";
import { collapseWhitespace, countCodePoints, countUtf8Bytes, trim, trimEnd, words, wordsWithEmptyEnds } from "./whitespace.ts";

test("splits as Python does, not as JavaScript does", () => {
  expect(words(" a\u001cb\u0085c\u00a0d\u3000e\n")).toEqual(["a", "b", "c", "d", "e"]);
  expect(words("a\ufeffb")).toEqual(["a\ufeffb"]);
  expect(words(" \t ")).toEqual([]);
});

test("empty ends count as words of a document", () => {
  expect(wordsWithEmptyEnds(" a b\n")).toEqual(["", "a", "b", ""]);
  expect(wordsWithEmptyEnds("")).toEqual([""]);
});

test("trims only Python's whitespace", () => {
  expect(trimEnd(" a \u0085\n")).toBe(" a");
  expect(trimEnd("a\ufeff")).toBe("a\ufeff");
  expect(trim("\u2003 a b \u001f")).toBe("a b");
  expect(trim("\n ")).toBe("");
});

test("collapses only runs of two or more", () => {
  expect(collapseWhitespace("a \u00a0b\tc\n\nd")).toBe("a b\tc d");
});

test("lengths are code points and UTF-8 bytes", () => {
  expect(countCodePoints("né😀")).toBe(3);
  expect(countUtf8Bytes("né😀")).toBe(7);
});
