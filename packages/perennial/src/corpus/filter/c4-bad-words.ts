/**
 * C4 bad words: drops a document whose lowercased text holds an entry of its language's list, between characters that are not
 * word characters (letters, numbers, underscore); in languages written without spaces anywhere. A share of such documents can be
 * kept, drawn from a stream named after the document, so the choice does not depend on order. Lists are the user's; a language
 * without one is an error unless `missingLanguage` is "keep".
 * Source: Raffel et al. 2020; Xue et al. 2021; datatrove's `C4BadWordsFilter`.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { stream } from "../../stream.ts";
import { defineFilter, drop, keep } from "./define.ts";

export const c4BadWordsSchema = z.strictObject({
  words: z.record(z.string(), z.array(z.string())).describe("entries by ISO 639-3 language, lowercase"),
  keepFraction: z.number().min(0).max(1).default(0).describe("share of documents with such a word that stays"),
  seed: z.int().default(0),
  missingLanguage: z.enum(["error", "keep"]).default("error"),
});

const WITHOUT_SPACES = new Set(["jpn", "tha", "cmn", "zho"]);

export const c4BadWords = defineFilter("c4-bad-words", c4BadWordsSchema, ({ words, keepFraction, seed, missingLanguage }) => {
  const patterns = new Map(Object.entries(words).map(([language, entries]) => [language, patternOf(language, entries)]));
  return ({ id, text, language = "und" }) => {
    const pattern = patterns.get(language);
    if (pattern === undefined) {
      if (missingLanguage === "keep") return keep;
      throw new FieldError("BAD_WORDS_LANGUAGE", {
        at: `c4-bad-words.words, document ${id}`,
        expected: `a list for the document's language, one of ${[...patterns.keys()].join(", ")}`,
        received: language,
        todo: 'add a list or set missingLanguage to "keep"',
      });
    }
    const found = pattern?.exec(text.toLowerCase());
    if (!found || (keepFraction > 0 && stream(seed, `c4-bad-words/${id}`).uniform() < keepFraction)) return keep;
    return drop("bad-word", found[0]);
  };
});

/** null for an empty list, which finds nothing. */
function patternOf(language: string, entries: readonly string[]): RegExp | null {
  const escaped = entries.filter((entry) => entry !== "").map((entry) => entry.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  if (escaped.length === 0) return null;
  const any = escaped.join("|");
  return new RegExp(WITHOUT_SPACES.has(language) ? any : `(?<![\\p{L}\\p{N}_])(?:${any})(?![\\p{L}\\p{N}_])`, "u");
}
