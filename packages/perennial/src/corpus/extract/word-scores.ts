/** How well a found text agrees with the true one, as bags of words: shared words over found (precision) and over true ones (recall). */
export interface WordScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

const segmenter = new Intl.Segmenter("und", { granularity: "word" });

export function wordScores(found: string, truth: string): WordScores {
  const [a, b] = [bag(found), bag(truth)];
  let shared = 0;
  for (const [word, count] of a.counts) shared += Math.min(count, b.counts.get(word) ?? 0);
  const precision = shared / Math.max(1, a.size);
  const recall = shared / Math.max(1, b.size);
  return { precision, recall, f1: shared === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

function bag(text: string): { counts: Map<string, number>; size: number } {
  const counts = new Map<string, number>();
  let size = 0;
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    if (!isWordLike) continue;
    counts.set(segment, (counts.get(segment) ?? 0) + 1);
    size++;
  }
  return { counts, size };
}
