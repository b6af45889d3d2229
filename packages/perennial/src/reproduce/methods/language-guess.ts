/**
 * Which of a few known languages is a text in? The one whose character trigrams make it likeliest (naive Bayes, add-one smoothing over the
 * trigrams seen in any of them). For texts of a model that knows these languages only.
 */
export class LanguageGuess {
  private readonly counts = new Map<string, Map<string, number>>();
  private readonly totals = new Map<string, number>();
  private readonly known = new Set<string>();

  constructor(samples: Readonly<Record<string, string>>) {
    for (const [language, text] of Object.entries(samples)) {
      const counts = new Map<string, number>();
      for (const gram of trigrams(text)) {
        counts.set(gram, (counts.get(gram) ?? 0) + 1);
        this.known.add(gram);
      }
      this.counts.set(language, counts);
      this.totals.set(
        language,
        [...counts.values()].reduce((sum, count) => sum + count, 0),
      );
    }
  }

  of(text: string): string {
    let [best, bestScore] = ["", Number.NEGATIVE_INFINITY];
    for (const [language, counts] of this.counts) {
      let score = 0;
      for (const gram of trigrams(text)) score += Math.log(((counts.get(gram) ?? 0) + 1) / (this.totals.get(language)! + this.known.size));
      if (score > bestScore) [best, bestScore] = [language, score];
    }
    return best;
  }
}

function* trigrams(text: string): Generator<string> {
  const plain = ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}]+/gu, " ")
    .trim()} `;
  for (let i = 0; i + 3 <= plain.length; i++) yield plain.slice(i, i + 3);
}
