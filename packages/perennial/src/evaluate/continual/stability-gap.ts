/**
 * The stability gap (arXiv 2406.14833): when training switches to new data, a score on the old falls and then recovers. On a curve of scores
 * s_t (higher is better; −loss for losses), s_0 measured before the switch:
 *   depth = max_t (s_0 − s_t)⁺        location = its first argmax        recovery = first t after it with s_t ≥ s_0
 *   area = Σ_t (s_0 − s_t)⁺ · (tokens_t − tokens_{t−1})                  peak = max_t s_t
 * depth and peak in units of the score, positions in tokens, area in score · tokens. The measures are this project's: the paper shows curves.
 */
import { FieldError } from "../../errors.ts";

export interface CurvePoint {
  /** Tokens trained since the switch. */
  readonly tokens: number;
  readonly score: number;
}

export interface StabilityGap {
  readonly depth: number;
  /** Tokens at the deepest point; null if the score never fell below s_0. */
  readonly location: number | null;
  /** Tokens at which s_0 was reached again; null if it never fell or never recovered. */
  readonly recovery: number | null;
  readonly area: number;
  readonly peak: CurvePoint;
}

/** `curve[0]` is the model before the switch; tokens ascend. */
export function stabilityGap(curve: readonly CurvePoint[]): StabilityGap {
  const start = curve[0];
  if (start === undefined)
    throw new FieldError("STABILITY_GAP", { at: "curve", expected: "at least the score before the switch", received: curve });
  let [depth, deepest, area, peak] = [0, -1, 0, start];
  for (let t = 1; t < curve.length; t++) {
    const point = curve[t]!;
    const tokens = point.tokens - curve[t - 1]!.tokens;
    if (!(tokens > 0))
      throw new FieldError("STABILITY_GAP", {
        at: `curve[${t}].tokens`,
        expected: `more than ${curve[t - 1]!.tokens}`,
        received: point.tokens,
      });
    const drop = Math.max(0, start.score - point.score);
    area += drop * tokens;
    if (drop > depth) [depth, deepest] = [drop, t];
    if (point.score > peak.score) peak = point;
  }
  const recovered = deepest < 0 ? undefined : curve.slice(deepest + 1).find((point) => point.score >= start.score);
  return { depth, location: deepest < 0 ? null : curve[deepest]!.tokens, recovery: recovered?.tokens ?? null, area, peak };
}
