/**
 * Measures what a language's continued training did for itself and for its relatives.
 *    self(l)  = m_CPT(l) − m_base(l)                          spill(l) = mean over Rel(l) of m_CPT − m_base
 *    harmful: spill < −τ · altruistic: spill > τ · selfish: self > τ ≥ spill · stagnant: both ≤ τ
 *  m a metric, higher is better · τ in the metric's unit, e.g. 2 × bootstrap standard error. The paper takes the labels
 *  from elsewhere; this rule is our choice. Source of the labels: arXiv 2504.04152.
 */
import { FieldError } from "../../errors.ts";

export type MeasuredCategory = "altruistic" | "selfish" | "stagnant" | "harmful";

export interface TransferMeasurement {
  readonly self: number;
  readonly spill: number;
  readonly category: MeasuredCategory;
}

export function transferCategory(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  language: string,
  related: readonly string[],
  tolerance: number,
): TransferMeasurement {
  if (related.length === 0)
    throw new FieldError("TRANSFER_RELATED", { at: `related.${language}`, expected: "at least one related language", received: related });
  const gain = (name: string) => {
    const difference = (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN);
    if (!Number.isFinite(difference))
      throw new FieldError("TRANSFER_METRIC", {
        at: `metric.${name}`,
        expected: "a number before and after training",
        received: [before[name] ?? null, after[name] ?? null],
      });
    return difference;
  };
  const self = gain(language);
  const spill = related.reduce((sum, name) => sum + gain(name), 0) / related.length;
  const category = spill < -tolerance ? "harmful" : spill > tolerance ? "altruistic" : self > tolerance ? "selfish" : "stagnant";
  return { self, spill, category };
}
