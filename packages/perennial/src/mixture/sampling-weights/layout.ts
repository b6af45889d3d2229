/**
 * Layouts of a multilingual mixture: monolingual documents, sentence pairs, or both, with code added or not.
 *    text: equal tokens per language, repeated at most n times (UniMax) · "mixed": 80 % monolingual, 20 % pairs
 *    code: c times the text tokens, **added**; the text of a layout is the same with and without code
 *  Source: arXiv 2504.04152. Shares are not given there; c = 1/3, n = 4 and the mixed arm are our choice.
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { type Allocation, allocation, checkSources, maxEpochs, type SizedSource } from "./sources.ts";
import { unimax } from "./unimax.ts";

export interface LayoutSource extends SizedSource {
  readonly kind: "monolingual" | "bilingual" | "code";
}

export const layoutSchema = z.strictObject({
  weights: z.literal("layout"),
  textTokens: z.number().positive().describe("tokens of text to be trained on; code comes on top"),
  data: z.enum(["monolingual", "bilingual", "mixed"]).describe("documents of each language, its sentence pairs with the pivot, or both"),
  code: z.boolean().default(false).describe("add source code"),
  codePerText: z
    .number()
    .positive()
    .default(1 / 3)
    .describe("tokens of code per token of text, when code is added"),
  monolingualShare: z.number().gt(0).lt(1).default(0.8).describe("share of monolingual documents in the text of the mixed layout"),
  maxEpochs: maxEpochs.default(4),
});
export type LayoutSpec = z.input<typeof layoutSchema>;

export function layoutShares(sources: readonly LayoutSource[], spec: LayoutSpec): Allocation {
  const options = layoutSchema.parse(spec);
  checkSources(sources);
  const { textTokens, data, monolingualShare } = options;
  const budgets: Record<LayoutSource["kind"], number> = {
    monolingual: data === "bilingual" ? 0 : data === "mixed" ? monolingualShare * textTokens : textTokens,
    bilingual: data === "monolingual" ? 0 : data === "mixed" ? (1 - monolingualShare) * textTokens : textTokens,
    code: options.code ? options.codePerText * textTokens : 0,
  };
  const tokens = new Map<string, number>();
  for (const [kind, budget] of Object.entries(budgets)) {
    const group = sources.filter((source) => source.kind === kind);
    if (budget === 0) continue;
    if (group.length === 0)
      throw new FieldError("MIXTURE_SOURCES", {
        at: "sources",
        expected: `at least one ${kind} source for this layout`,
        received: sources.map((source) => source.name),
      });
    const given = unimax(
      group.map((source) => source.tokens),
      budget,
      options.maxEpochs,
    );
    for (const [i, source] of group.entries()) tokens.set(source.name, given[i]!);
  }
  const used = sources.filter((source) => tokens.has(source.name));
  const budget = budgets.monolingual + budgets.bilingual + budgets.code;
  return allocation(
    used,
    used.map((source) => tokens.get(source.name)!),
    budget,
  );
}
