export { codePoints, endsSentence, hasLetter, isCore, withoutPunctuation } from "./characters.ts";
export { languageFamily, type WordLocale, wordLocale } from "./fallback.ts";
export { brokenLines, filledLines, lineRuns, paragraphs } from "./lines.ts";
export { sentences } from "./sentences.ts";
export { isBlank, splitOnWhitespace, trim } from "./whitespace.ts";
export { intlWords, type WordSplitter, wordsOf } from "./words.ts";
