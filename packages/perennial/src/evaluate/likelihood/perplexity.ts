/**
 * The perplexity family: exp(lossSum / count), lossSum in nats over the text, count of
 *   tokens      token perplexity: comparable only between models with the same tokenizer
 *   words       `word_perplexity`: words of the original text, empty ends counted (`wordsWithEmptyEnds`)
 *   bytes       `byte_perplexity`: 2^bitsPerByte
 *   any fixed unit of one reference text (characters, tokens of ONE reference tokenizer): normalized perplexity
 * A ratio of sums, never a mean of ratios.
 */
export function perplexity({ lossSum, count }: { readonly lossSum: number; readonly count: number }): number {
  return Math.exp(lossSum / count);
}

/** What lm-evaluation-harness calls `perplexity` (LAMBADA): exp(−mean log-likelihood of a continuation), whatever its length. */
export function continuationPerplexity(logLikelihoods: readonly number[]): number {
  return Math.exp(-logLikelihoods.reduce((sum, value) => sum + value, 0) / logLikelihoods.length);
}

/** Information parity: NLL of a text in English over NLL of its translation, both in nats. 1 = the language costs what English costs. */
export function informationParity({ englishLossSum, lossSum }: { readonly englishLossSum: number; readonly lossSum: number }): number {
  return englishLossSum / lossSum;
}
