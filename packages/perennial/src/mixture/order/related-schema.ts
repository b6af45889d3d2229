/** Options of the related order, apart from the code behind them: a recipe that is only read needs no index. */
import { z } from "zod";

export const relatedOrderSchema = z.strictObject({
  neighbors: z.int().min(1).default(20).describe("k, neighbors listed per document"),
  search: z
    .enum(["auto", "exact", "approximate"])
    .default("auto")
    .describe("auto: exact up to `exactUpTo` documents, inverted lists beyond"),
  exactUpTo: z.int().min(1).default(50_000).describe("documents up to which every pair is compared"),
  nearCopyCosine: z
    .union([z.number().gt(0).max(1), z.literal("keep")])
    .default(0.95)
    .describe("documents closer than this to a kept one are left out; keep: none"),
  variant: z.enum(["paper", "code"]).default("paper").describe("the paper's greedy path, or the released code's segments"),
  seed: z.int().default(1).describe("decides between start documents of equal degree"),
});

/** How neighbors are found where a comparison of all would be this many pairs. */
export const searchOf = (
  { search, exactUpTo }: Pick<z.output<typeof relatedOrderSchema>, "search" | "exactUpTo">,
  pairs: number,
): "exact" | "approximate" => (search !== "auto" ? search : pairs <= exactUpTo ** 2 ? "exact" : "approximate");

export type RelatedOrderSpec = z.input<typeof relatedOrderSchema>;
