/**
 * FineWeb quality: drops lists and menus. Lines are those that are not blank.
 *   lines that end with a sentence-final sign / lines      ≥ 0.12
 *   lines of at most 30 characters / lines                 ≤ 0.67
 *   characters in repeated lines / characters without \n   ≤ 0.01 (English; 0.1 for all languages in FineWeb2)
 *   newlines / words                                       ≤ 0.3
 * Source: Penedo et al. 2024, arXiv 2406.17557; FineWeb2 turns the short-line test off.
 */
import { atLeast, atMost, defineBounds } from "./bounds.ts";

export const finewebQuality = defineBounds("fineweb-quality", {
  minFilledLines: atLeast("filledLines", 1),
  minTerminalLines: atLeast("terminalLineShare", 0.12),
  maxShortLines: atMost("shortLineShare", 0.67),
  maxDuplicateLineCharacters: atMost("duplicateFilledLineCharacterShare", 0.01),
  maxNewlinesPerWord: atMost("newlinesPerWord", 0.3),
});
