import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Document } from "../document.ts";
import { splitOnWhitespace } from "../words/whitespace.ts";
import { c4Paragraph } from "./c4-paragraph.ts";
import { c4Quality } from "./c4-quality.ts";
import type { Filter } from "./define.ts";
import { finewebQuality } from "./fineweb-quality.ts";
import { gopherQuality } from "./gopher-quality.ts";
import { gopherRepetition } from "./gopher-repetition.ts";
import { englishProfile, type StatisticsProfile, statistics } from "./statistics.ts";
import { urlFilter } from "./url-filter.ts";

// Golden values: tools/golden/filters.py, datatrove 0.10 on real pages in eleven languages and damaged variants of two of them.
const read = (name: string) => JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8"));
type Reasons = Record<string, string | null>;
const pages: { language: string; variant: string; text: string }[] = read("pages");
const golden: { statistics: Record<string, number>; whitespace: Reasons; spacy?: Reasons }[] = read("filters");

const documents = pages.map(({ language, text }, i): Document => {
  const [code, script] = language.split("_") as [string, string];
  return { id: String(i), text, language: code, script, provenance: { file: "pages.json" }, metadata: {}, annotations: {} };
});

const STOP_WORDS = "the be to of and that have with de la et der und die в и на bir ve một và το και में है".split(" ");
const whitespaceProfile: StatisticsProfile = { ...englishProfile, stopWords: STOP_WORDS, words: splitOnWhitespace };
const sentencesByPoint = (text: string) => text.match(/[^.?!]*[.?!]+|[^.?!]+$/g) ?? [];

test.each(pages.map(({ language, variant }, i) => ({ i, language, variant })))(
  "statistics equal the reference: $language $i, $variant",
  ({ i }) => {
    const ours = statistics(documents[i]!, whitespaceProfile);
    const rounded = Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, Math.round(value * 1e12) / 1e12]));
    expect(rounded).toEqual(golden[i]!.statistics);
  },
);

/** The reference's reason for each of ours. */
const REASONS: Record<string, string> = {
  "characters-below-min": "empty",
  "duplicate-paragraph-share-above-max": "dup_para_frac",
  "duplicate-paragraph-character-share-above-max": "dup_para_char_frac",
  "duplicate-line-share-above-max": "dup_line_frac",
  "duplicate-line-character-share-above-max": "dup_line_char_frac",
  ...Object.fromEntries([2, 3, 4].map((n) => [`top-${n}-gram-character-share-above-max`, `top_${n}_gram`])),
  ...Object.fromEntries([5, 6, 7, 8, 9, 10].map((n) => [`duplicate-${n}-gram-character-share-above-max`, `duplicated_${n}_n_grams`])),
  "filled-lines-below-min": "empty",
  "terminal-line-share-below-min": "line_punct_ratio",
  "short-line-share-above-max": "short_line_ratio",
  "duplicate-filled-line-character-share-above-max": "char_dup_ratio",
  "newlines-per-word-above-max": "list_ratio",
  "core-words-below-min": "gopher_short_doc",
  "core-words-above-max": "gopher_long_doc",
  "mean-word-length-below-min": "gopher_below_avg_threshold",
  "mean-word-length-above-max": "gopher_above_avg_threshold",
  "hashes-per-word-above-max": "gopher_too_many_hashes",
  "ellipses-per-word-above-max": "gopher_too_many_ellipsis",
  "bullet-line-share-above-max": "gopher_too_many_bullets",
  "ellipsis-line-share-above-max": "gopher_too_many_end_ellipsis",
  "alphabetic-word-share-below-min": "gopher_below_alpha_threshold",
  "stop-words-below-min": "gopher_enough_stop_words",
  "lorem-ipsum": "lorem_ipsum",
  "curly-bracket": "curly_bracket",
  "sentences-below-min": "too_few_sentences",
  "paragraphs-below-min": "< 3 paragraphs",
};

function filters(profile: StatisticsProfile, sentencesOf?: (text: string) => string[]): Record<string, Filter> {
  return {
    gopherRepetition: gopherRepetition.filter({}, profile),
    finewebQuality: finewebQuality.filter({}, profile),
    gopherQuality: gopherQuality.filter({}, profile),
    gopherRepetitionFineweb2: gopherRepetition.filter(
      { maxDuplicateParagraphs: null, maxDuplicateParagraphCharacters: null, maxDuplicateLineCharacters: null, maxDuplicateLines: 0.264 },
      profile,
    ),
    finewebQualityFineweb2: finewebQuality.filter(
      { maxShortLines: null, maxDuplicateLineCharacters: 0.1, minTerminalLines: 0.1, maxNewlinesPerWord: 0.185 },
      profile,
    ),
    c4Quality: c4Quality({}, sentencesOf),
    c4QualityFineweb: c4Quality({ terminalPunctuation: false }, sentencesOf),
    c4Paragraph: c4Paragraph({}),
  };
}

function reasonOf(filter: Filter, document: Document): string | null {
  const decision = filter.decide(document);
  return decision.kept ? null : REASONS[decision.reason]!;
}

test("with words between white space, every decision and its first reason are the reference's", () => {
  const met = new Set<string | null>();
  for (const [name, filter] of Object.entries(filters(whitespaceProfile, sentencesByPoint))) {
    for (const [i, document] of documents.entries()) {
      const expected = golden[i]!.whitespace[name]!;
      met.add(expected);
      expect([i, name, reasonOf(filter, document)]).toEqual([i, name, expected]);
      const text = golden[i]!.whitespace[`${name}Text`];
      const decision = filter.decide(document);
      if (text && decision.kept) expect(createHash("sha256").update(decision.text!).digest("hex").slice(0, 16)).toBe(text);
    }
  }
  // Rules that no page meets first; their statistics are compared above all the same.
  const unmet = [
    "dup_line_char_frac",
    "duplicated_6_n_grams",
    "duplicated_7_n_grams",
    "duplicated_10_n_grams",
    "gopher_long_doc",
    "gopher_too_many_end_ellipsis",
  ];
  expect(Object.values(REASONS).filter((reason) => !met.has(reason))).toEqual(unmet);
});

test("with the segmenter's words, 667 of 672 documents are kept or dropped as with spaCy's", () => {
  const profile: StatisticsProfile = { ...englishProfile, stopWords: STOP_WORDS };
  const different: string[] = [];
  let compared = 0;
  for (const [name, filter] of Object.entries(filters(profile))) {
    for (const [i, document] of documents.entries()) {
      const expected = golden[i]!.spacy?.[name];
      if (expected === undefined) continue;
      compared++;
      const ours = reasonOf(filter, document);
      if ((ours === null) !== (expected === null))
        different.push(`${name}, page ${i} ${pages[i]!.language}: ${ours}, reference ${expected}`);
    }
  }
  expect(compared).toBe(672);
  // spaCy leaves "BASIC-Funktion" (German), "résultat1,résultat2" and "SI.CONDITIONS(expression1;…" whole, keeps "..." one word
  // and cuts "l'option" in two; Annex 29 does the opposite. Shares of words near a threshold then fall on the other side.
  expect(different).toEqual([
    "gopherRepetition, page 14 deu_Latn: null, reference duplicated_5_n_grams",
    "gopherQuality, page 10 fra_Latn: gopher_below_alpha_threshold, reference null",
    "gopherQuality, page 11 fra_Latn: gopher_below_alpha_threshold, reference null",
    "gopherQuality, page 46 ell_Grek: gopher_below_alpha_threshold, reference null",
    "gopherRepetitionFineweb2, page 14 deu_Latn: null, reference duplicated_5_n_grams",
  ]);
});

const [lists, ...urls]: [object, ...{ url: string; dropped: string | null }[]] = read("urls");
const URL_REASONS: Record<string, string> = {
  "url-domain": "domain",
  "url-host": "subdomain",
  url: "url",
  "url-banned-word": "hard_blacklisted",
  "url-soft-banned-words": "soft_blacklisted",
  "url-banned-substring": "blacklisted_subword",
};

test.each(urls)("$url → $dropped", ({ url, dropped }) => {
  const decision = urlFilter(lists).decide({ ...documents[0]!, url });
  expect(decision.kept ? null : URL_REASONS[decision.reason]).toBe(dropped);
});
