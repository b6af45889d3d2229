/**
 * Verifies a plan by doing it: trains at the recommended share and at two others, and puts the predicted losses beside
 * the measured ones. The plan is confirmed when the measured losses lie in their bands and no other share does better.
 */
import { PerennialError } from "../../errors.ts";
import { type BandedPrediction, predictWithBand } from "./bootstrap.ts";
import { type PilotStore, pilotSpec, type RunPilot, runPilots } from "./pilots.ts";
import { budgetAt, type MixturePlan, type PlanOptions } from "./plan.ts";

export interface Compared {
  readonly predicted: BandedPrediction;
  readonly measured: number;
  readonly inBand: boolean;
  /** measured / predicted − 1 */
  readonly relativeError: number;
}

export interface VerifiedRatio {
  readonly ratio: number;
  readonly recommended: boolean;
  /** What was trained for. */
  readonly tokens: number;
  readonly domain: Compared;
  readonly general: Compared;
  /** Meets the plan's condition on the general loss, as measured. */
  readonly allowed: boolean;
}

export interface Verification {
  readonly ratios: readonly VerifiedRatio[];
  /** The share with the best measured outcome under the plan's goal is the recommended one. */
  readonly recommendedIsBest: boolean;
}

export async function verifyPlan(plan: MixturePlan, run: RunPilot, store: PilotStore, level = 0.9): Promise<Verification> {
  const { options, recommendation, pair } = plan;
  const recommended = recommendation.ratio;
  if (recommended === null) throw new PerennialError("LAW_NO_RECOMMENDATION", "There is nothing to verify: the plan recommends no share.");
  const { goal, modelSize, seed } = options;
  const specs = [recommended, ...othersThan(recommended, options)].map((ratio) => {
    const tokens = wholeSteps(budgetAt(options, ratio).tokens, options);
    return pilotSpec({ ratio, tokens, modelSize, checkpoints: [tokens], seed });
  });
  const results = await runPilots(specs, run, store);
  const ratios = specs.map(({ ratio, tokens }, i): VerifiedRatio => {
    const { base, checkpoints } = results[i]!;
    const { domainLoss, generalLoss } = checkpoints.at(-1)!;
    const query = { ratio, tokens, ...(modelSize === undefined ? {} : { modelSize }) };
    return {
      ratio,
      recommended: ratio === recommended,
      domain: compared(predictWithBand(pair.domain, pair.replicas.domain, query, level), domainLoss),
      general: compared(predictWithBand(pair.general, pair.replicas.general, query, level), generalLoss),
      tokens,
      allowed: goal.goal !== "keep-general" || generalLoss <= (goal.baseGeneralLoss ?? base.generalLoss) + goal.epsilon,
    };
  });
  const score = ({ domain, general, allowed }: VerifiedRatio) => {
    if (goal.goal === "weighted") return goal.weight * domain.measured + (1 - goal.weight) * general.measured;
    return allowed ? domain.measured : Number.POSITIVE_INFINITY;
  };
  const [first, ...rest] = ratios.map(score);
  return { ratios, recommendedIsBest: Number.isFinite(first) && rest.every((other) => first! <= other) };
}

/** A clearly smaller and a clearly larger share: half of the way to each end. */
function othersThan(ratio: number, options: PlanOptions): number[] {
  // Below this share the domain tokens that are to be split would not all be used.
  const lowest = options.goal.goal === "split-domain" ? budgetAt(options, 1).tokens / options.budgetTokens : 0;
  return [(lowest + ratio) / 2, (1 + ratio) / 2].map((other) => Math.min(0.95, Math.max(0.05, other))).filter((other) => other !== ratio);
}

/** Training ends on a whole step. */
export const wholeSteps = (tokens: number, { tokensPerStep }: Pick<PlanOptions, "tokensPerStep">): number =>
  Math.ceil(tokens / tokensPerStep) * tokensPerStep;

function compared(predicted: BandedPrediction, measured: number): Compared {
  const inBand = measured >= predicted.low && measured <= predicted.high;
  return { predicted, measured, inBand, relativeError: measured / predicted.loss - 1 };
}
