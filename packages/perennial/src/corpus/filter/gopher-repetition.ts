/**
 * Gopher repetition: drops pages that repeat paragraphs, lines or word n-grams. All values are shares, 0–1.
 *   paragraphs, lines   repeated elements / elements, and their characters / characters of the text
 *   top n-gram          (length of the most frequent n-gram, joined by spaces) × count / characters,   n = 2 … 4
 *   duplicate n-grams   characters in n-grams seen before, joined by nothing / characters,            n = 5 … 10
 * Source: Rae et al. 2021, arXiv 2112.11446, table A1; in FineWeb2 the tests on paragraphs and on characters of lines are off.
 */
import { atLeast, atMost, defineBounds } from "./bounds.ts";

export const gopherRepetition = defineBounds("gopher-repetition", {
  minCharacters: atLeast("characters", 1),
  maxDuplicateParagraphs: atMost("duplicateParagraphShare", 0.3),
  maxDuplicateParagraphCharacters: atMost("duplicateParagraphCharacterShare", 0.2),
  maxDuplicateLines: atMost("duplicateLineShare", 0.3),
  maxDuplicateLineCharacters: atMost("duplicateLineCharacterShare", 0.2),
  maxTop2Gram: atMost("top2GramCharacterShare", 0.2),
  maxTop3Gram: atMost("top3GramCharacterShare", 0.18),
  maxTop4Gram: atMost("top4GramCharacterShare", 0.16),
  maxDuplicate5Grams: atMost("duplicate5GramCharacterShare", 0.15),
  maxDuplicate6Grams: atMost("duplicate6GramCharacterShare", 0.14),
  maxDuplicate7Grams: atMost("duplicate7GramCharacterShare", 0.13),
  maxDuplicate8Grams: atMost("duplicate8GramCharacterShare", 0.12),
  maxDuplicate9Grams: atMost("duplicate9GramCharacterShare", 0.11),
  maxDuplicate10Grams: atMost("duplicate10GramCharacterShare", 0.1),
});
