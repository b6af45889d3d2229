/**
 * Text of a free answer as it is compared. `squad` is the official SQuAD form, in this order: lower-case, drop ASCII punctuation, drop the
 * English articles a, an, the, collapse whitespace. `multilingual` drops every `\p{P}` and keeps articles; `none` changes nothing.
 */
import { words } from "../text/whitespace.ts";

export type AnswerNormalization = "squad" | "multilingual" | "none";

export const normalizeAnswer: Readonly<Record<AnswerNormalization, (text: string) => string>> = {
  squad: (text) => words(text.toLowerCase().replace(ASCII_PUNCTUATION, "").replace(ARTICLES, " ")).join(" "),
  multilingual: (text) => words(text.toLowerCase().replace(/\p{P}/gu, "")).join(" "),
  none: (text) => text,
};

const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/gu;
/** Python's `\b(a|an|the)\b`: its word characters are letters, numbers and "_" of every script. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
