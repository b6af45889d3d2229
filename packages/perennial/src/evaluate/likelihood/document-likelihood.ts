/**
 * Likelihood of a set of documents in every unit that is reported. Sums first, then ratios; the standard errors of the ratios come from
 * `bootstrapRatio` over documents. Words and bytes are counted on the original text, even if a detokenized one was scored.
 */
import { countUtf8Bytes, wordsWithEmptyEnds } from "../text/whitespace.ts";
import { bitsPerByte } from "./bits-per-byte.ts";
import { perplexity } from "./perplexity.ts";

export interface DocumentLikelihood {
  /** −Σ log-likelihood, nats. */
  readonly lossSum: number;
  readonly targetTokens: number;
  readonly words: number;
  readonly bytes: number;
}

export interface LikelihoodReport extends DocumentLikelihood {
  /** Nats per target token. */
  readonly loss: number;
  readonly perplexity: number;
  readonly wordPerplexity: number;
  readonly bytePerplexity: number;
  readonly bitsPerByte: number;
}

export function documentLikelihood(text: string, lossSum: number, targetTokens: number): DocumentLikelihood {
  return { lossSum, targetTokens, words: wordsWithEmptyEnds(text).length, bytes: countUtf8Bytes(text) };
}

export function likelihoodReport(documents: Iterable<DocumentLikelihood>): LikelihoodReport {
  const total = { lossSum: 0, targetTokens: 0, words: 0, bytes: 0 };
  for (const document of documents) for (const key of ["lossSum", "targetTokens", "words", "bytes"] as const) total[key] += document[key];
  const { lossSum, targetTokens, words, bytes } = total;
  return {
    ...total,
    loss: lossSum / targetTokens,
    perplexity: perplexity({ lossSum, count: targetTokens }),
    wordPerplexity: perplexity({ lossSum, count: words }),
    bytePerplexity: perplexity({ lossSum, count: bytes }),
    bitsPerByte: bitsPerByte({ lossSum, bytes }),
  };
}
