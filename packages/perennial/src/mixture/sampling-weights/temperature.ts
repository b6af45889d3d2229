/**
 * Temperature sampling: sizes flattened by a power.
 *    p_l = c_l^(1/τ) / Σ c^(1/τ)       U_l = p_l·B
 *  c tokens of a source · B budget in tokens · τ temperature, no unit: 1 is proportional, larger is flatter, → ∞ uniform.
 *  Nothing caps the repeats: the epochs are shown so that they can be judged. Contrast to `unimax.ts`.
 */
import { z } from "zod";
import { type Allocation, allocation, budgetTokens, checkSources, type SizedSource } from "./sources.ts";

export const temperatureSchema = z.strictObject({
  weights: z.literal("temperature"),
  budgetTokens,
  temperature: z.number().min(1).default(3.33).describe("1 = in proportion to size; larger flattens towards equal shares"),
});
export type TemperatureSpec = z.input<typeof temperatureSchema>;

export function temperatureShares(sources: readonly SizedSource[], spec: TemperatureSpec): Allocation {
  const { budgetTokens: budget, temperature } = temperatureSchema.parse(spec);
  checkSources(sources);
  const largest = Math.max(...sources.map((source) => source.tokens));
  const weights = sources.map((source) => (source.tokens / largest) ** (1 / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return allocation(
    sources,
    weights.map((weight) => (budget * weight) / sum),
    budget,
  );
}
