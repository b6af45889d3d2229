import { expect, test } from "vitest";
import { languageFamily, wordLocale } from "./fallback.ts";

test.each([
  ["fra_Latn", { locale: "fr", because: "own" }],
  ["cmn_Hani", { locale: "zh", because: "own" }],
  ["kab_Latn", { locale: "kab", because: "own" }],
  ["aai_Latn", { locale: "id", because: "family" }], // Austronesian: Indonesian has the most text
  ["glk_Arab", { locale: "fa", because: "family" }], // Indo-European in Arabic script: Persian
  ["aak_Latn", { locale: "und", because: "root" }], // Trans-New Guinea: none is covered
  ["mnw_Mymr", { locale: "my", because: "script" }],
  ["qqq_Qaaa", { locale: "und", because: "root" }],
  ["not a label", { locale: "und", because: "root" }],
])("%s is cut by %o", (label, expected) => expect(wordLocale(label)).toEqual(expected));

test("families are per script", () => {
  expect(languageFamily("kab_Latn")).toBe("Afro-Asiatic");
  expect(languageFamily("kab_Cyrl")).toBeUndefined();
});
