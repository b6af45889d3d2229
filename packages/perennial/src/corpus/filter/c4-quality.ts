/**
 * C4 quality: line by line, in this order (lines: any Unicode line break, trimmed; words stand between white space):
 *   drop the line      a word of more than 1,000 characters; then `[1]`, `[edit]`, `[citation needed]` are deleted
 *   drop the line      no . ? ! " ' at its end, or `...`; fewer than 3 words (counted before the deletion)
 *   drop the document  "lorem ipsum" in any case
 *   drop the line      "javascript"
 *   drop the document  {
 *   drop the line      terms of use, privacy policy, cookie policy, uses cookies, use of cookies, use cookies
 * The two document tests see only lines that survived so far. At the end the kept lines must hold 5 sentences; they are the new text.
 * `null` turns a number off. FineWeb (English) turns the terminal-punctuation test off; FineWeb2 does not use this filter.
 * Source: Raffel et al. 2020, arXiv 1910.10683; order as in datatrove's `C4QualityFilter`.
 */
import { z } from "zod";
import { languageLabel } from "../document.ts";
import { codePoints } from "../words/characters.ts";
import { brokenLines } from "../words/lines.ts";
import { sentences } from "../words/sentences.ts";
import { splitOnWhitespace, trim } from "../words/whitespace.ts";
import { defineFilter, drop, type Filter, keep } from "./define.ts";

export const c4QualitySchema = z.strictObject({
  terminalPunctuation: z.boolean().default(true).describe("drop lines that do not end like a sentence"),
  removeCitations: z.boolean().default(true),
  maxWordLength: z.int().positive().nullable().default(1000).describe("characters"),
  minWordsPerLine: z.int().positive().nullable().default(3),
  minSentences: z.int().positive().nullable().default(5),
  dropLoremIpsum: z.boolean().default(true),
  dropJavascript: z.boolean().default(true),
  dropCurlyBracket: z.boolean().default(true),
  dropPolicy: z.boolean().default(true),
});

const CITATION = /\[\p{Nd}*\]|\[edit\]|\[citation needed\]/gu;
const TERMINAL = /[.?!"']$/;
const POLICY = /terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies/;

/** `sentencesOf` can be replaced, e.g. by a splitter trained for a language. */
export function c4Quality(
  options: z.input<typeof c4QualitySchema> = {},
  sentencesOf: (text: string, label: string) => string[] = sentences,
): Filter {
  return defineFilter("c4-quality", c4QualitySchema, (rules) => (document) => {
    const label = languageLabel(document);
    const kept: string[] = [];
    let count = 0;
    for (const whole of brokenLines(document.text)) {
      let line = trim(whole);
      const words = splitOnWhitespace(line);
      const { maxWordLength } = rules;
      if (maxWordLength !== null && words.some((word) => word.length > maxWordLength && codePoints(word) > maxWordLength)) continue;
      if (rules.removeCitations) line = line.replace(CITATION, "");
      if (rules.terminalPunctuation && (!TERMINAL.test(line) || line.endsWith("..."))) continue;
      if (rules.minWordsPerLine !== null && words.length < rules.minWordsPerLine) continue;
      const lower = line.toLowerCase();
      if (rules.dropLoremIpsum && lower.includes("lorem ipsum")) return drop("lorem-ipsum");
      if (rules.dropJavascript && lower.includes("javascript")) continue;
      if (rules.dropCurlyBracket && line.includes("{")) return drop("curly-bracket");
      if (rules.dropPolicy && POLICY.test(lower)) continue;
      if (rules.minSentences !== null) count += sentencesOf(line, label).length;
      kept.push(line);
    }
    if (rules.minSentences !== null && count < rules.minSentences) return drop("sentences-below-min", count, rules.minSentences);
    return { ...keep, text: trim(kept.join("\n")) };
  })(options);
}
