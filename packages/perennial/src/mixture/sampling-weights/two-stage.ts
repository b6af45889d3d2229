/**
 * Marco-LLM's two stages: first protective (much English and Chinese, higher learning rate), then more low-resource text
 * at a lower one. A group's share is split equally over its members.
 *    tokens of source k = Σ over stages of stageTokens · p_k
 *  Shares are shares of tokens, not of documents: parallel examples are short and would be under-fed otherwise.
 *  Source: Ming et al., arXiv 2412.04003, tables 1–3 (160 B tokens at 1e-5, 140 B at 6e-6).
 */
import { z } from "zod";
import { FieldError } from "../../errors.ts";
import { type Allocation, allocation, checkSources, type SizedSource } from "./sources.ts";

/** Shares by group, in percent in the table and as fractions here; each stage sums to 1. */
export const marcoStages = [
  {
    tokens: 160e9,
    maxLearningRate: 1e-5,
    shares: { english: 0.32, chinese: 0.17, otherHigh: 0.3, low: 0.09, parallel: 0.06, knowledge: 0.05, synthetic: 0.01 },
  },
  {
    tokens: 140e9,
    maxLearningRate: 6e-6,
    shares: { english: 0.28, chinese: 0.15, otherHigh: 0.26, low: 0.15, parallel: 0.08, knowledge: 0.06, synthetic: 0.02 },
  },
] as const;

export interface GroupedSource extends SizedSource {
  readonly group: string;
}

const share = z.number().min(0).max(1);

export const twoStageSchema = z.strictObject({
  weights: z.literal("stages"),
  budgetTokens: z.number().positive().describe("tokens over all stages"),
  stages: z
    .array(
      z.strictObject({
        part: share.describe("part of the budget that this stage takes; the parts sum to 1"),
        shares: z
          .record(z.string(), share)
          .describe("share of this stage's tokens by group, split equally over the group's sources; sums to 1"),
      }),
    )
    .min(1)
    .default(() => marcoStages.map(({ tokens, shares }) => ({ part: tokens / 300e9, shares: { ...shares } })))
    .describe("stages in order; default: Marco-LLM's two"),
});
export type TwoStageSpec = z.input<typeof twoStageSchema>;

export interface StagedAllocation {
  /** One allocation per stage, in order. */
  readonly stages: readonly Allocation[];
  /** Over all stages: here the epochs of a source are the ones that count. */
  readonly total: Allocation;
}

export function stageShares(sources: readonly GroupedSource[], spec: TwoStageSpec): StagedAllocation {
  const { budgetTokens, stages } = twoStageSchema.parse(spec);
  checkSources(sources);
  sumsToOne(
    "stages[].part",
    stages.map((stage) => stage.part),
  );
  const perStage = stages.map(({ part, shares }, i) => {
    sumsToOne(`stages[${i}].shares`, Object.values(shares));
    for (const group of Object.keys(shares))
      if (shares[group]! > 0 && !sources.some((source) => source.group === group))
        throw new FieldError("MIXTURE_SOURCES", {
          at: `stages[${i}].shares.${group}`,
          expected: "at least one source of this group",
          received: shares[group],
        });
    return sources.map(
      ({ group }) => (budgetTokens * part * (shares[group] ?? 0)) / sources.filter((source) => source.group === group).length,
    );
  });
  return {
    stages: perStage.map((tokens, i) => allocation(sources, tokens, budgetTokens * stages[i]!.part)),
    total: allocation(
      sources,
      sources.map((_, k) => perStage.reduce((sum, tokens) => sum + tokens[k]!, 0)),
      budgetTokens,
    ),
  };
}

function sumsToOne(at: string, shares: readonly number[]): void {
  const sum = shares.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) > 1e-9) throw new FieldError("MIXTURE_SHARE", { at, expected: "shares that sum to 1", received: sum });
}
