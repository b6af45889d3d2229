/**
 * A threshold of English carried over to a language l, from the statistic's distribution in two reference corpora.
 *   english       t_l = t_en
 *   meanStd       t_l = m_l + σ_l (t_en − m_en)/σ_en
 *   quantile      t_l = Q_l(q), q the share of the English reference that t_en cuts: Q_en(q) = t_en
 *   tenTail       t_l = Q_l(0.1) for a minimum, Q_l(0.9) for a maximum
 *   medianRatio   t_l = t_en · med_l/med_en
 * m, σ, med, Q: mean, population std, median and quantile function. Where English does not vary (σ_en = 0) or has median 0 there
 * is nothing to scale by, and t_en stays.
 * Source: FineWeb2, arXiv 2506.20920, section on filter thresholds.
 */
import type { Bound } from "../filter/bounds.ts";
import { mean, median, quantile, quantileOf, std } from "./moments.ts";

export const ADAPTATION_METHODS = ["english", "meanStd", "quantile", "tenTail", "medianRatio"] as const;
export type AdaptationMethod = (typeof ADAPTATION_METHODS)[number];

export interface AdaptationInput {
  readonly side: Bound["side"];
  /** t_en */
  readonly threshold: number;
  /** Ascending values of the statistic, one a document; not empty. */
  readonly english: ArrayLike<number>;
  readonly language: ArrayLike<number>;
}

const TAIL_SHARE = 0.1;

export function adapt(method: AdaptationMethod, { side, threshold, english, language }: AdaptationInput): number {
  switch (method) {
    case "english":
      return threshold;
    case "meanStd": {
      const spread = std(english);
      return spread === 0 ? threshold : mean(language) + (std(language) * (threshold - mean(english))) / spread;
    }
    case "quantile":
      return quantile(language, quantileOf(english, threshold, side === "min" ? "first" : "last"));
    case "tenTail":
      return quantile(language, side === "min" ? TAIL_SHARE : 1 - TAIL_SHARE);
    case "medianRatio": {
      const center = median(english);
      return center === 0 ? threshold : (threshold * median(language)) / center;
    }
  }
}
