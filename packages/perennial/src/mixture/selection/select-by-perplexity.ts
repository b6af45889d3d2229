/**
 * The part of a pool that is most like a reference: texts in the order of their perplexity, lowest first, ties in the order of the pool, up to
 * and with the text that reaches the budget. Texts with fewer than `minWords` words are no candidates: short and repeated text is easy.
 * Source: arXiv 2406.14833 (selection by KenLM); specification `stability-gap`.
 */
export interface Candidate {
  readonly perplexity: number;
  readonly words: number;
  /** What the budget counts: tokens, bytes or words. */
  readonly size: number;
}

export interface SelectionOptions {
  /** In the unit of `size`. */
  readonly budget: number;
  readonly minWords?: number;
}

/** Positions of the chosen texts, best first. */
export function selectByPerplexity(candidates: readonly Candidate[], { budget, minWords = 1 }: SelectionOptions): number[] {
  const order = [...candidates.keys()]
    .filter((i) => candidates[i]!.words >= minWords && Number.isFinite(candidates[i]!.perplexity))
    .sort((a, b) => candidates[a]!.perplexity - candidates[b]!.perplexity || a - b);
  const chosen: number[] = [];
  let size = 0;
  for (const i of order) {
    if (size >= budget) break;
    chosen.push(i);
    size += candidates[i]!.size;
  }
  return chosen;
}
