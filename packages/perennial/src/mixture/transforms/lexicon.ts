/**
 * A bilingual lexicon learned from sentence pairs, some of which may be wrong: words that occur together more often than apart.
 *   Dice(x, y) = 2 n(x, y)/(n(x) + n(y))     n: pairs with the word on its side
 * Each word keeps its best partners. Pairs that do not belong together meet by chance, so that their words rarely do twice.
 */
import type { SentencePair } from "./bitext-filter.ts";

/** A word seen once would be its own proof. */
const MIN_TOGETHER = 3;
const MIN_DICE = 0.15;
const PARTNERS = 3;
/** Letters; particles go with everything. */
const MIN_WORD = 3;

const wordsOf = (text: string) => [...new Set(text.normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [])].filter((word) => word.length >= MIN_WORD); // biome-ignore format: one line

export function learnLexicon(pairs: readonly SentencePair[]): Map<string, Set<string>> {
  const [sources, targets] = [new Map<string, number>(), new Map<string, number>()];
  const together = new Map<string, Map<string, number>>();
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { source, target } of pairs) {
    const others = wordsOf(target);
    for (const other of others) count(targets, other);
    for (const word of wordsOf(source)) {
      count(sources, word);
      const partners = together.get(word) ?? new Map<string, number>();
      together.set(word, partners);
      for (const other of others) count(partners, other);
    }
  }
  return new Map(
    [...together].map(([word, partners]) => {
      const scored = [...partners]
        .filter(([, pairs]) => pairs >= MIN_TOGETHER)
        .map(([other, pairs]) => ({ other, dice: (2 * pairs) / (sources.get(word)! + targets.get(other)!) }))
        .filter(({ dice }) => dice >= MIN_DICE)
        .sort((a, b) => b.dice - a.dice);
      return [word, new Set(scored.slice(0, PARTNERS).map(({ other }) => other))];
    }),
  );
}
