/**
 * Stop words of a language: all words of a reference corpus whose relative frequency is above a cut, without those that hold
 * digits or symbols. The cut starts at 0.008 and is multiplied by 0.8 until there are 8 words (the published cut is not known).
 * Source: FineWeb2, arXiv 2506.20920. A polluted reference puts English words in the list: clean it first.
 */
const FIRST_CUT = 0.008;
const CUT_STEP = 0.8;
const LEAST_WORDS = 8;
/** Letters and marks of any script; apostrophes and the middle dot stand inside words of many languages. */
const PROPER_WORD = /^(?=.*\p{L})[\p{L}\p{M}'’·]+$/u;

/** From counts of all words, punctuation included; most frequent first. Fewer than 8 only if there are no more. */
export function stopWords(counts: ReadonlyMap<string, number>): string[] {
  let total = 0;
  const proper: { word: string; count: number }[] = [];
  for (const [word, count] of counts) {
    total += count;
    if (PROPER_WORD.test(word)) proper.push({ word, count });
  }
  proper.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
  const wanted = Math.min(LEAST_WORDS, proper.length);
  const above = (cut: number) => proper.filter(({ count }) => count / total > cut);
  let cut = FIRST_CUT;
  while (above(cut).length < wanted) cut *= CUT_STEP;
  return above(cut).map(({ word }) => word);
}
