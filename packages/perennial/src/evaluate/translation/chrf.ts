/**
 * chrF (Popović 2015) and chrF++ (Popović 2017) as sacreBLEU 2.6.0 computes them. For every order, characters 1 … 6 and words 1 … wordOrder
 * (0: chrF, 2: chrF++), summed over the corpus: h hypothesis n-grams, r reference n-grams, m = Σ min counts.
 *   P = mean m/h,  R = mean m/r   over the orders with h > 0 and r > 0, characters and words alike
 *   chrFβ = 100 · (1 + β²) P R / (β² P + R)                                 0–100, β = 2: recall counts four times
 * `epsSmoothing` averages the F of each order instead, over all orders, an empty one counting 10⁻¹⁶ (chrF++.py, NLTK, Moses).
 * Of several references each segment keeps the one with the best segment score, the first of equals. Spaces are removed before
 * character n-grams; a word gives up one ASCII punctuation mark, at its end or else at its start: "(hi)" → "(hi" ")".
 */
import { words } from "../text/whitespace.ts";
import { type CorpusMetric, formatSignature, scoreCorpus } from "./corpus-metric.ts";
import { characterNgrams, type NgramCounts, wordNgrams } from "./ngrams.ts";

export interface ChrfOptions {
  readonly characterOrder?: number;
  /** 0 for chrF, 2 for chrF++. */
  readonly wordOrder?: number;
  readonly beta?: number;
  readonly lowercase?: boolean;
  /** Keep spaces in character n-grams. */
  readonly whitespace?: boolean;
  readonly epsSmoothing?: boolean;
}

export interface ChrfScore {
  /** 0–100. */
  readonly score: number;
}

/** Corpus chrF2; `references[i]` are the references of `hypotheses[i]`. `{ wordOrder: 2 }` for chrF2++. */
export function chrf(hypotheses: readonly string[], references: readonly (readonly string[])[], options: ChrfOptions = {}) {
  return scoreCorpus(chrfMetric(options), hypotheses, references);
}

export function chrfMetric({
  characterOrder = 6,
  wordOrder = 0,
  beta = 2,
  lowercase = false,
  whitespace = false,
  epsSmoothing = false,
}: ChrfOptions = {}): CorpusMetric<ChrfScore> {
  const numOrders = characterOrder + wordOrder;
  const fScore = epsSmoothing ? meanOfF : fOfMeans;

  function ngrams(segment: string): NgramCounts[] {
    const text = lowercase ? segment.toLowerCase() : segment;
    const characters = characterNgrams(whitespace ? text : words(text).join(""), characterOrder);
    const tokens = wordOrder > 0 ? separatePunctuation(text) : [];
    return [...characters, ...Array.from({ length: wordOrder }, (_, n) => wordNgrams(tokens, n + 1))];
  }

  return {
    name: `chrF${beta}${"+".repeat(wordOrder)}`,
    statistics(hypothesis, references) {
      const hypothesisNgrams = ngrams(hypothesis);
      let best: number[] = [];
      let bestScore = -1;
      for (const reference of references) {
        const referenceNgrams = ngrams(reference);
        const row = hypothesisNgrams.flatMap((counts, n) => matchStatistics(counts, referenceNgrams[n]!));
        const score = fScore(row, numOrders, beta);
        if (score > bestScore) [best, bestScore] = [row, score];
      }
      return best;
    },
    score: (sums) => ({ score: fScore(sums, numOrders, beta) }),
    signature: (context) =>
      formatSignature(context, [
        ["case", lowercase ? "lc" : "mixed"],
        ["eff", epsSmoothing ? "no" : "yes"],
        ["nc", characterOrder],
        ["nw", wordOrder],
        ["space", whitespace ? "yes" : "no"],
      ]),
  };
}

/** [h, r, m] of one order; h counts as 0 where the reference has no n-gram of that order. */
function matchStatistics(hypothesis: NgramCounts, reference: NgramCounts): [number, number, number] {
  let [h, r, m] = [0, 0, 0];
  for (const [ngram, count] of hypothesis) {
    h += count;
    m += Math.min(count, reference.get(ngram) ?? 0);
  }
  for (const count of reference.values()) r += count;
  return [r > 0 ? h : 0, r, m];
}

function fOfMeans(sums: ArrayLike<number>, numOrders: number, beta: number): number {
  let [precision, recall, effectiveOrder] = [0, 0, 0];
  for (let n = 0; n < numOrders; n++) {
    const [h, r, m] = [sums[3 * n]!, sums[3 * n + 1]!, sums[3 * n + 2]!];
    if (h === 0 || r === 0) continue;
    precision += m / h;
    recall += m / r;
    effectiveOrder++;
  }
  if (precision + recall === 0) return 0;
  precision /= effectiveOrder;
  recall /= effectiveOrder;
  return 100 * (((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall));
}

function meanOfF(sums: ArrayLike<number>, numOrders: number, beta: number): number {
  const eps = 1e-16;
  let total = 0;
  for (let n = 0; n < numOrders; n++) {
    const [h, r, m] = [sums[3 * n]!, sums[3 * n + 1]!, sums[3 * n + 2]!];
    const precision = h > 0 ? m / h : eps;
    const recall = r > 0 ? m / r : eps;
    const denominator = beta ** 2 * precision + recall;
    total += denominator > 0 ? ((1 + beta ** 2) * precision * recall) / denominator : eps;
  }
  return (100 * total) / numOrders;
}

const ASCII_PUNCTUATION = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

function separatePunctuation(text: string): string[] {
  return words(text).flatMap((word) => {
    const last = word.at(-1)!;
    const first = word.charAt(0);
    if (word.length === 1) return [word];
    if (ASCII_PUNCTUATION.has(last)) return [word.slice(0, -1), last];
    return ASCII_PUNCTUATION.has(first) ? [first, word.slice(1)] : [word];
  });
}
