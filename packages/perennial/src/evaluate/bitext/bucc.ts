/**
 * BUCC mining score: F1 = 2PR/(P + R) over pairs with score ≥ θ, P = right/found, R = right/gold. θ is the midpoint between the score at
 * which F1 is best (pairs by score descending) and the next lower one; tune it on the training split, then keep it fixed for the test.
 */
export interface ScoredPair {
  readonly source: string;
  readonly target: string;
  readonly score: number;
}

export interface BuccScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export type GoldPair = readonly [source: string, target: string];

export function buccThreshold(pairs: readonly ScoredPair[], gold: readonly GoldPair[]): BuccScore & { readonly threshold: number } {
  const goldKeys = keysOf(gold);
  const sorted = [...pairs].sort((a, b) => b.score - a.score);
  let best = { threshold: Number.POSITIVE_INFINITY, precision: 0, recall: 0, f1: 0 };
  let right = 0;
  for (const [i, pair] of sorted.entries()) {
    if (goldKeys.has(keyOf(pair.source, pair.target))) right++;
    const next = sorted[i + 1];
    if (next?.score === pair.score) continue; // a threshold cannot part equal scores
    const score = buccScore(right, i + 1, gold.length);
    if (score.f1 > best.f1) best = { threshold: next === undefined ? pair.score : (pair.score + next.score) / 2, ...score };
  }
  return best;
}

export function buccF1(pairs: readonly ScoredPair[], gold: readonly GoldPair[], threshold: number): BuccScore {
  const goldKeys = keysOf(gold);
  const found = pairs.filter(({ score }) => score >= threshold);
  return buccScore(found.filter(({ source, target }) => goldKeys.has(keyOf(source, target))).length, found.length, gold.length);
}

/** Ids whose text occurs under no other id; sentences that do cannot be told apart and leave the set before mining. */
export function uniqueTexts(texts: ReadonlyMap<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const text of texts.values()) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...texts].filter(([, text]) => counts.get(text) === 1).map(([id]) => id);
}

function buccScore(right: number, found: number, gold: number): BuccScore {
  if (right === 0) return { precision: 0, recall: 0, f1: 0 };
  const [precision, recall] = [right / found, right / gold];
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

const keyOf = (source: string, target: string) => JSON.stringify([source, target]);
const keysOf = (pairs: readonly GoldPair[]) => new Set(pairs.map(([source, target]) => keyOf(source, target)));
