/**
 * Bitext mining (LASER `mine_bitexts.py`): sentence pairs out of two monolingual sets by margin.
 *   forward / backward   the best candidate of every source / target
 *   intersect            pairs that are each other's best
 *   max                  all of both, by margin descending; a pair is taken if neither side was used before. Sides become used even where
 *                        the margin is below the threshold. Equal margins: forward before backward, lower index first (our choice)
 */
import { bestCandidate, candidateMargins, type Margin } from "./margin.ts";
import type { Neighbors } from "./neighbors.ts";

export type MiningStrategy = "forward" | "backward" | "intersect" | "max";

export interface MinedPair {
  readonly source: number;
  readonly target: number;
  readonly margin: number;
}

export interface MiningOptions {
  readonly margin?: Margin;
  readonly strategy?: MiningStrategy;
  /** Only pairs with a larger margin are returned. Default: all. */
  readonly threshold?: number;
}

/** Pairs by margin descending (max) or by index (the others). */
export function mineBitext(neighbors: Neighbors, options: MiningOptions = {}): MinedPair[] {
  const { margin = "ratio", strategy = "max", threshold = Number.NEGATIVE_INFINITY } = options;
  const margins = candidateMargins(neighbors, margin);
  const forward = margins.forward.flatMap((candidates, source) => {
    const best = bestCandidate(candidates);
    return best === undefined ? [] : [{ source, target: best.index, margin: best.similarity }];
  });
  const backward = margins.backward.flatMap((candidates, target) => {
    const best = bestCandidate(candidates);
    return best === undefined ? [] : [{ source: best.index, target, margin: best.similarity }];
  });
  return strategies[strategy](forward, backward).filter((pair) => pair.margin > threshold);
}

const strategies: Record<MiningStrategy, (forward: MinedPair[], backward: MinedPair[]) => MinedPair[]> = {
  forward: (forward) => forward,
  backward: (_, backward) => backward,
  intersect(forward, backward) {
    const bestSource = new Map(backward.map(({ source, target }) => [target, source]));
    return forward.filter(({ source, target }) => bestSource.get(target) === source);
  },
  max(forward, backward) {
    const [usedSources, usedTargets] = [new Set<number>(), new Set<number>()];
    return [...forward, ...backward]
      .sort((a, b) => b.margin - a.margin)
      .filter(({ source, target }) => {
        if (usedSources.has(source) || usedTargets.has(target)) return false;
        usedSources.add(source);
        usedTargets.add(target);
        return true;
      });
  },
};
