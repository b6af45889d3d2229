/**
 * Everything that the Gopher and FineWeb filters measure, computed once a document: plain numbers, so that thresholds can be
 * fitted and replayed later without the text. Lengths are code points; shares are 0–1 and 0 when their whole is empty;
 * the three kinds of line are told apart in `words/lines.ts`.
 * Source: datatrove's filters as FineWeb2 uses them (arXiv 2506.20920), definitions in the specification `fineweb2`, section 5.
 */
import { type Document, languageLabel } from "../document.ts";
import { codePoints, endsSentence, hasLetter, isCore } from "../words/characters.ts";
import { brokenLines, filledLines, lineRuns, paragraphs } from "../words/lines.ts";
import { trim } from "../words/whitespace.ts";
import { wordsOf } from "../words/words.ts";
import { WordGrams } from "./ngrams.ts";

export const TOP_NGRAMS = [2, 3, 4] as const;
export const DUPLICATE_NGRAMS = [5, 6, 7, 8, 9, 10] as const;
type TopNGram = `top${(typeof TOP_NGRAMS)[number]}GramCharacterShare`;
type DuplicateNGram = `duplicate${(typeof DUPLICATE_NGRAMS)[number]}GramCharacterShare`;

export interface Statistics extends Record<TopNGram | DuplicateNGram, number> {
  characters: number;
  words: number;
  /** Words with at least one character that is not punctuation. */
  coreWords: number;
  /** Of core words, in characters. */
  meanWordLength: number;
  /** Share of words that contain a letter. */
  alphabeticWordShare: number;
  hashesPerWord: number;
  /** `...` and `…` in the text, per word. */
  ellipsesPerWord: number;
  /** Distinct stop words present, case-sensitive. */
  stopWords: number;
  bulletLineShare: number;
  ellipsisLineShare: number;
  duplicateParagraphShare: number;
  duplicateParagraphCharacterShare: number;
  duplicateLineShare: number;
  duplicateLineCharacterShare: number;
  filledLines: number;
  /** Share of filled lines that end with a sentence-final sign of any script. */
  terminalLineShare: number;
  shortLineShare: number;
  duplicateFilledLineCharacterShare: number;
  newlinesPerWord: number;
}

/** What the numbers depend on beside the document. */
export interface StatisticsProfile {
  readonly stopWords: readonly string[];
  /** Characters up to which a line is short. */
  readonly shortLineLength: number;
  readonly words: (text: string, label: string) => string[];
}

export const englishProfile: StatisticsProfile = {
  stopWords: ["the", "be", "to", "of", "and", "that", "have", "with"],
  shortLineLength: 30,
  words: wordsOf,
};

const computed = new WeakMap<Document, { profile: StatisticsProfile; statistics: Statistics }>();

/** Statistics of a document, computed at most once for the same profile object. */
export function statistics(document: Document, profile: StatisticsProfile = englishProfile): Statistics {
  const known = computed.get(document);
  if (known?.profile === profile) return known.statistics;
  const made = compute(document, profile);
  computed.set(document, { profile, statistics: made });
  return made;
}

function compute(document: Document, profile: StatisticsProfile): Statistics {
  const { text } = document;
  const characters = codePoints(text);
  const allParagraphs = paragraphs(text);
  const repeatedParagraphs = duplicates(allParagraphs);
  const runs = lineRuns(text);
  const repeatedRuns = duplicates(runs);
  const newlines = occurrences(text, "\n");
  return {
    characters,
    ...wordStatistics(text, characters, profile.words(text, languageLabel(document)), profile.stopWords),
    ...brokenLineStatistics(brokenLines(text)),
    duplicateParagraphShare: share(repeatedParagraphs.count, allParagraphs.length),
    duplicateParagraphCharacterShare: share(repeatedParagraphs.characters, characters),
    duplicateLineShare: share(repeatedRuns.count, runs.length),
    duplicateLineCharacterShare: share(repeatedRuns.characters, characters),
    ...filledLineStatistics(filledLines(text), characters - newlines, profile.shortLineLength),
  };
}

type WordStatistics = Pick<Statistics, TopNGram | DuplicateNGram | "words" | "coreWords" | "meanWordLength" | "alphabeticWordShare"> &
  Pick<Statistics, "hashesPerWord" | "ellipsesPerWord" | "stopWords" | "newlinesPerWord">;

function wordStatistics(text: string, characters: number, words: readonly string[], stopWords: readonly string[]): WordStatistics {
  const numbers = new Map<string, number>();
  const distinct: string[] = [];
  const ids = new Int32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    let id = numbers.get(words[i]!);
    if (id === undefined) {
      id = distinct.push(words[i]!) - 1;
      numbers.set(words[i]!, id);
    }
    ids[i] = id;
  }
  const lengths = new Int32Array(distinct.length);
  const core = new Uint8Array(distinct.length);
  const alphabetic = new Uint8Array(distinct.length);
  const allBasic = characters === text.length; // then a unit is a code point
  for (const [id, word] of distinct.entries()) {
    lengths[id] = allBasic ? word.length : codePoints(word);
    core[id] = isCore(word) ? 1 : 0;
    alphabetic[id] = hasLetter(word) ? 1 : 0;
  }
  let coreWords = 0;
  let coreCharacters = 0;
  let alphabeticWords = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    coreWords += core[id]!;
    coreCharacters += core[id]! * lengths[id]!;
    alphabeticWords += alphabetic[id]!;
  }
  const grams = new WordGrams(words, ids, distinct, lengths);
  const top = (n: number) => share(grams.topCharacters(n), characters);
  const duplicate = (n: number) => share(grams.duplicateCharacters(n), characters);
  return {
    words: words.length,
    coreWords,
    meanWordLength: share(coreCharacters, coreWords),
    alphabeticWordShare: share(alphabeticWords, words.length),
    hashesPerWord: share(occurrences(text, "#"), words.length),
    ellipsesPerWord: share(occurrences(text, "...") + occurrences(text, "…"), words.length),
    stopWords: stopWords.reduce((count, word) => count + (numbers.has(word) ? 1 : 0), 0),
    newlinesPerWord: share(occurrences(text, "\n"), words.length),
    top2GramCharacterShare: top(2),
    top3GramCharacterShare: top(3),
    top4GramCharacterShare: top(4),
    duplicate5GramCharacterShare: duplicate(5),
    duplicate6GramCharacterShare: duplicate(6),
    duplicate7GramCharacterShare: duplicate(7),
    duplicate8GramCharacterShare: duplicate(8),
    duplicate9GramCharacterShare: duplicate(9),
    duplicate10GramCharacterShare: duplicate(10),
  };
}

function brokenLineStatistics(lines: readonly string[]): Pick<Statistics, "bulletLineShare" | "ellipsisLineShare"> {
  let bullets = 0;
  let ellipses = 0;
  for (const line of lines) {
    const trimmed = trim(line);
    if (trimmed.startsWith("•") || trimmed.startsWith("-")) bullets++;
    if (trimmed.endsWith("...") || trimmed.endsWith("…")) ellipses++;
  }
  return { bulletLineShare: share(bullets, lines.length), ellipsisLineShare: share(ellipses, lines.length) };
}

function filledLineStatistics(
  lines: readonly string[],
  charactersWithoutNewlines: number,
  shortLineLength: number,
): Pick<Statistics, "filledLines" | "terminalLineShare" | "shortLineShare" | "duplicateFilledLineCharacterShare"> {
  let terminal = 0;
  let short = 0;
  for (const line of lines) {
    if (endsSentence(line)) terminal++;
    // Half as many units are certainly not more code points: most lines need no counting.
    if (line.length <= 2 * shortLineLength && codePoints(line) <= shortLineLength) short++;
  }
  return {
    filledLines: lines.length,
    terminalLineShare: share(terminal, lines.length),
    shortLineShare: share(short, lines.length),
    duplicateFilledLineCharacterShare: share(duplicates(lines).characters, charactersWithoutNewlines),
  };
}

/** Elements that were seen earlier, and the characters in them. */
function duplicates(elements: readonly string[]): { count: number; characters: number } {
  const seen = new Set<string>();
  let count = 0;
  let characters = 0;
  for (const element of elements) {
    if (seen.has(element)) {
      count++;
      characters += codePoints(element);
    } else seen.add(element);
  }
  return { count, characters };
}

/** Occurrences that do not overlap. */
function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
