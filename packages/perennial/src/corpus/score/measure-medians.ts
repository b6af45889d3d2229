/**
 * Medians for the scorer from text of a language: documents in the order of their language score, the best fifth kept, median of
 * each ratio (percent of word characters, one decimal).
 */
import type { Document } from "../document.ts";
import { median, sorted } from "../thresholds/moments.ts";
import { type CharacterCounts, countCharacters } from "./character-classes.ts";
import type { Medians } from "./language-profile.ts";
import { round1 } from "./round.ts";

const BEST_SHARE = 0.2;

export function measureMedians(documents: readonly Pick<Document, "text" | "languageScore">[]): Medians {
  const best = documents
    .toSorted((a, b) => (b.languageScore ?? 0) - (a.languageScore ?? 0))
    .slice(0, Math.max(1, Math.round(documents.length * BEST_SHARE)))
    .map(({ text }) => countCharacters(text))
    .filter(({ word }) => word > 0);
  if (best.length === 0) throw new RangeError("measureMedians: expected documents with word characters");
  const of = (name: keyof CharacterCounts) => round1(median(sorted(best.map((counts) => (100 * counts[name]) / counts.word))));
  return { numbers: of("numbers"), punctuation: of("punctuation"), singular: of("singular") };
}
