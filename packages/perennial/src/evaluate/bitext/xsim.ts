/**
 * Parallel test sets: sentence i of one side translates sentence i of the other. Accuracy = share of i whose best target is i; the best by
 * cosine (`absolute`) or by margin among the k nearest. xsim error = 100 · (1 − accuracy), ratio margin, k = 4 (LASER `xsim.py`).
 */
import { bestCandidate, candidateMargins, type Margin } from "./margin.ts";
import type { Neighbors } from "./neighbors.ts";

export function bitextAccuracy(neighbors: Neighbors, margin: Margin = "ratio"): number {
  const { forward } = candidateMargins(neighbors, margin);
  return forward.filter((candidates, i) => bestCandidate(candidates)?.index === i).length / forward.length;
}

/** Percent, lower is better. */
export function xsimError(neighbors: Neighbors): number {
  return 100 * (1 - bitextAccuracy(neighbors, "ratio"));
}
