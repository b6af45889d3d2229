/**
 * Gopher quality: drops what is not running text. Words are those of the language's splitter, punctuation included;
 * core words hold something other than punctuation.
 *   core words               50 … 100,000
 *   mean length of a core word  3 … 10 characters
 *   "#" / words, ellipses / words         ≤ 0.1
 *   lines that begin with • or -          ≤ 0.9 of lines; that end with an ellipsis ≤ 0.3
 *   words that contain a letter           ≥ 0.8 of words (the reference calls this minimum `max_non_alpha_words_ratio`)
 *   distinct stop words present           ≥ 2
 * Source: Rae et al. 2021, arXiv 2112.11446.
 */
import { atLeast, atMost, defineBounds } from "./bounds.ts";

export const gopherQuality = defineBounds("gopher-quality", {
  minWords: atLeast("coreWords", 50),
  maxWords: atMost("coreWords", 100_000),
  minMeanWordLength: atLeast("meanWordLength", 3),
  maxMeanWordLength: atMost("meanWordLength", 10),
  maxHashesPerWord: atMost("hashesPerWord", 0.1),
  maxEllipsesPerWord: atMost("ellipsesPerWord", 0.1),
  maxBulletLines: atMost("bulletLineShare", 0.9),
  maxEllipsisLines: atMost("ellipsisLineShare", 0.3),
  minAlphabeticWords: atLeast("alphabeticWordShare", 0.8),
  minStopWords: atLeast("stopWords", 2),
});
