/**
 * BLEU (Papineni et al. 2002) as sacreBLEU 2.6.0 computes it. Sums over the corpus, n = 1 … N (N = maxOrder):
 *   correct_n = Σ_g min(count_hyp(g), max_ref count_ref(g))      total_n = hypothesis n-grams
 *   p_n  = 100 · correct_n / total_n, smoothed where correct_n = 0 (see `BleuSmoothing`)
 *   BP   = 1 if hypothesisLength ≥ referenceLength else exp(1 − referenceLength / hypothesisLength)
 *   BLEU = BP · exp(1/N Σ_n ln p_n)                              0–100; 0 if no n-gram matches at all
 * referenceLength adds, per segment, the reference length closest to the hypothesis' (the shorter of two equally close ones).
 * With `effectiveOrder`, N is the highest order with total_n > 0: on for single sentences, off for corpora, where a corpus of segments
 * shorter than four tokens therefore scores 0.
 */
import { toFixedHalfEven } from "../text/to-fixed.ts";
import { trimEnd } from "../text/whitespace.ts";
import { type BleuTokenizer, bleuTokenizers } from "./bleu-tokenizers.ts";
import { type CorpusMetric, formatSignature, scoreCorpus } from "./corpus-metric.ts";
import { type NgramCounts, wordNgrams } from "./ngrams.ts";

/**
 * What replaces a precision of zero (Chen & Cherry 2014).
 *   exp    p_n = 100 / (2^j · total_n) at the j-th order without a match
 *   floor  p_n = 100 · value / total_n
 *   add-k  correct_n + value, total_n + value for every n > 1
 *   none   0, hence BLEU 0
 */
export type BleuSmoothing =
  | { readonly method: "exp" }
  | { readonly method: "none" }
  | { readonly method: "floor"; readonly value: number }
  | { readonly method: "add-k"; readonly value: number };

export interface BleuOptions {
  readonly tokenizer?: BleuTokenizer;
  readonly lowercase?: boolean;
  readonly smoothing?: BleuSmoothing;
  readonly maxOrder?: number;
  readonly effectiveOrder?: boolean;
}

export interface BleuScore {
  /** 0–100. */
  readonly score: number;
  /** 0–100, by order. */
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  readonly hypothesisLength: number;
  readonly referenceLength: number;
  readonly correct: readonly number[];
  readonly total: readonly number[];
}

/** Corpus BLEU; `references[i]` are the references of `hypotheses[i]`, all detokenized. */
export function bleu(hypotheses: readonly string[], references: readonly (readonly string[])[], options: BleuOptions = {}) {
  return scoreCorpus(bleuMetric(options), hypotheses, references);
}

/** BLEU of one sentence, with effective order. */
export function sentenceBleu(hypothesis: string, references: readonly string[], options: BleuOptions = {}) {
  return bleu([hypothesis], [references], { effectiveOrder: true, ...options });
}

export function bleuMetric({
  tokenizer = "13a",
  lowercase = false,
  smoothing = { method: "exp" },
  maxOrder = 4,
  effectiveOrder = false,
}: BleuOptions = {}): CorpusMetric<BleuScore> {
  const tokenize = (segment: string) => bleuTokenizers[tokenizer](trimEnd(lowercase ? segment.toLowerCase() : segment));
  const orders = Array.from({ length: maxOrder }, (_, n) => n + 1);
  const { method } = smoothing;
  const value = "value" in smoothing ? smoothing.value : 0;

  return {
    name: "BLEU",
    statistics(hypothesis, references) {
      const tokens = tokenize(hypothesis);
      const referenceTokens = references.map(tokenize);
      const correct = orders.map((n) => {
        const reference = maxCounts(referenceTokens.map((words) => wordNgrams(words, n)));
        let matches = 0;
        for (const [ngram, count] of wordNgrams(tokens, n)) matches += Math.min(count, reference.get(ngram) ?? 0);
        return matches;
      });
      const total = orders.map((n) => Math.max(0, tokens.length - n + 1));
      return [tokens.length, closestLength(tokens.length, referenceTokens), ...correct, ...total];
    },

    score(sums) {
      const [hypothesisLength, referenceLength] = [sums[0]!, sums[1]!];
      const correct = orders.map((n) => sums[1 + n]!);
      const total = orders.map((n) => sums[1 + maxOrder + n]!);
      const precisions = orders.map(() => 0);
      let brevityPenalty = 1;
      if (hypothesisLength < referenceLength) brevityPenalty = hypothesisLength > 0 ? Math.exp(1 - referenceLength / hypothesisLength) : 0;
      const details = { precisions, brevityPenalty, hypothesisLength, referenceLength, correct, total };
      if (correct.every((count) => count === 0)) return { score: 0, ...details };

      let order = maxOrder;
      let numUnmatched = 0;
      for (const n of orders) {
        const added = method === "add-k" && n > 1 ? value : 0;
        const matches = correct[n - 1]! + added;
        const ngrams = total[n - 1]! + added;
        if (ngrams === 0) break;
        if (effectiveOrder) order = n;
        if (matches > 0) precisions[n - 1] = (100 * matches) / ngrams;
        else if (method === "exp") precisions[n - 1] = 100 / (2 ** ++numUnmatched * ngrams);
        else if (method === "floor") precisions[n - 1] = (100 * value) / ngrams;
      }
      const logSum = precisions.slice(0, order).reduce((sum, p) => sum + (p === 0 ? LOG_OF_ZERO : Math.log(p)), 0);
      return { score: brevityPenalty * Math.exp(logSum / order), ...details };
    },

    signature: (context) =>
      formatSignature(context, [
        ["case", lowercase ? "lc" : "mixed"],
        ["eff", effectiveOrder ? "yes" : "no"],
        ["tok", tokenizer],
        ["smooth", "value" in smoothing ? `${method}[${value.toFixed(2)}]` : method],
      ]),
  };
}

/** The reference implementation's stand-in for ln 0; one such order makes the score 0. */
const LOG_OF_ZERO = -9999999999;

function maxCounts(all: readonly NgramCounts[]): NgramCounts {
  const [first, ...rest] = all;
  for (const counts of rest) for (const [ngram, count] of counts) first!.set(ngram, Math.max(count, first!.get(ngram) ?? 0));
  return first!;
}

function closestLength(length: number, references: readonly (readonly string[])[]): number {
  return references
    .map((tokens) => tokens.length)
    .reduce((best, candidate) => {
      const closer = Math.abs(candidate - length) - Math.abs(best - length);
      return closer < 0 || (closer === 0 && candidate < best) ? candidate : best;
    });
}

/** One line as sacreBLEU prints it: `BLEU|nrefs:1|… = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)`. */
export function formatBleu(result: BleuScore & { signature: string }): string {
  const { score, precisions, brevityPenalty, hypothesisLength, referenceLength, signature } = result;
  const ratio = referenceLength > 0 ? hypothesisLength / referenceLength : 0;
  const orders = precisions.map((p) => toFixedHalfEven(p, 1)).join("/");
  const penalty = `BP = ${toFixedHalfEven(brevityPenalty, 3)} ratio = ${toFixedHalfEven(ratio, 3)}`;
  const lengths = `hyp_len = ${hypothesisLength} ref_len = ${referenceLength}`;
  return `BLEU|${signature} = ${toFixedHalfEven(score, 2)} ${orders} (${penalty} ${lengths})`;
}
