/**
 * UniMax: as uniform as possible, but no source repeated more than n times; what small sources cannot absorb goes to the
 * larger ones.
 *    in ascending order of size, i = 0 … L−1:   U_i = min(left/(L − i), n·c_i),   left ← left − U_i
 *  c tokens of a source · U tokens trained on · n cap in epochs. ΣU = min(B, n·Σc): what is left when every source is
 *  capped is reported as unspent, never spent beyond the cap.
 *  Source: Chung et al. 2023, arXiv 2304.09151; as used by AfriqueLLM, arXiv 2601.06395 (released table: n = 4).
 */
import { z } from "zod";
import { type Allocation, allocation, budgetTokens, checkSources, maxEpochs, type SizedSource } from "./sources.ts";

export const unimaxSchema = z.strictObject({
  weights: z.literal("unimax"),
  budgetTokens,
  maxEpochs: maxEpochs.default(4),
});
export type UnimaxSpec = z.input<typeof unimaxSchema>;

export function unimaxShares(sources: readonly SizedSource[], spec: UnimaxSpec): Allocation {
  const options = unimaxSchema.parse(spec);
  checkSources(sources);
  const sizes = sources.map((source) => source.tokens);
  return allocation(sources, unimax(sizes, options.budgetTokens, options.maxEpochs), options.budgetTokens);
}

/** U for sizes c, in their order. */
export function unimax(sizes: readonly number[], budget: number, cap: number): number[] {
  const ascending = sizes.map((_, i) => i).sort((a, b) => sizes[a]! - sizes[b]!);
  const tokens = new Array<number>(sizes.length);
  let left = budget;
  ascending.forEach((source, i) => {
    tokens[source] = Math.min(left / (sizes.length - i), cap * sizes[source]!);
    left -= tokens[source]!;
  });
  return tokens;
}
