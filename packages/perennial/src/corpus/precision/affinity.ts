/**
 * Words that tell a low-resource language from its neighbors. f_{t,l}: count of word t in a reference corpus of language l, all
 * languages cut by the word splitter of the target l.
 *   affinity(t, l) = f_{t,l} / Σ_{l'} f_{t,l'}
 *   W_l = { t : affinity(t, l) ≥ 0.85 and f_{t,l} ≥ 95th percentile of l's counts }
 * Source: FineWeb2, arXiv 2506.20920, precision filtering; the percentile is in its code only.
 */
import { quantile, sorted } from "../thresholds/moments.ts";
import { withoutPunctuation } from "../words/characters.ts";
import { wordsOf } from "../words/words.ts";

export interface AffinityOptions {
  readonly minAffinity: number;
  /** 0–1 */
  readonly countQuantile: number;
}

const DEFAULTS: AffinityOptions = { minAffinity: 0.85, countQuantile: 0.95 };

/** Counts of the target's words, and of the same words in all other languages together. Most frequent first. */
export function affinityWords(
  target: ReadonlyMap<string, number>,
  others: Iterable<ReadonlyMap<string, number>>,
  { minAffinity, countQuantile }: AffinityOptions = DEFAULTS,
): string[] {
  if (target.size === 0) return [];
  const least = quantile(sorted(target.values()), countQuantile);
  const everywhere = new Map(target);
  for (const counts of others) {
    for (const [word, count] of counts) {
      const known = everywhere.get(word);
      if (known !== undefined) everywhere.set(word, known + count);
    }
  }
  return [...target]
    .filter(([word, count]) => count >= least && count / everywhere.get(word)! >= minAffinity)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([word]) => word);
}

/** Words as the word lists count them: punctuation removed, case kept. */
export const affinityTokens = (text: string, label: string): string[] => wordsOf(withoutPunctuation(text), label);

export function countWords(texts: Iterable<string>, label: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of affinityTokens(text, label)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
