/** Rules of a recipe as parts of the loop: the judgements are pure functions in `train/rules`. */
import { keep, type nn, noGrad, scope, type Tensor, torch } from "@perennial/torch";
import type { RecipeStage } from "../recipe/index.ts";
import type { Rule } from "../train/rule.ts";
import { averageKeep, initialLossSpikeState, judgeForgetting, judgeLoss, type LossSpikeState, reptile } from "../train/rules/index.ts";

type RuleSpec = RecipeStage["rules"][number];
type Spec<Name extends RuleSpec["rule"]> = Extract<RuleSpec, { rule: Name }>;

/** An average of the weights that can stand in for them. */
export interface WeightAverageRule extends Rule {
  /** Runs `body` with the average in the model's place. */
  withAverage<T>(body: () => T): T;
}

export const isWeightAverage = (rule: Rule): rule is WeightAverageRule => "withAverage" in rule;

export function makeRule(spec: RuleSpec, model: nn.Module): Rule {
  switch (spec.rule) {
    case "lossSpike":
      return lossSpikeRule(spec);
    case "forgettingBound":
      return forgettingBoundRule(spec);
    case "weightAverage":
      return weightAverageRule(spec, model);
  }
}

/** Reptile across the steps of a stage, where experience replay asks for it. */
export function alignment(experience: RecipeStage["train"]["experience"], model: nn.Module, totalSteps: number): Rule[] {
  return experience?.reptile ? [reptile(model.namedParameters(), experience.reptile, totalSteps)] : [];
}

/** So many spikes in a row are no accident: skipping for ever would train nothing, so the run stops. */
const MAX_CONSECUTIVE_SPIKES = 10;

function lossSpikeRule({ ratio, windowSteps, action }: Spec<"lossSpike">): Rule {
  let state: LossSpikeState = initialLossSpikeState;
  return {
    name: "lossSpike",
    beforeUpdate({ step, loss, gradNorm }) {
      const judged = judgeLoss(
        { criterion: { ratio }, windowSteps, maxConsecutive: MAX_CONSECUTIVE_SPIKES },
        state,
        Number.isFinite(gradNorm) ? loss : Number.NaN,
      );
      state = judged.state;
      const { verdict } = judged;
      if (verdict.kind === "ordinary") return undefined;
      const limit =
        verdict.limit === null
          ? "loss or gradient is not a finite number"
          : `the loss ${loss.toFixed(3)} is above ${verdict.limit.toFixed(3)}`;
      if (verdict.kind === "diverged")
        return { action: "stop", reason: `step ${step + 1}: ${limit}, ${verdict.consecutive} times in a row; lower the learning rate` };
      return { action, reason: `step ${step + 1}: ${limit}` };
    },
    state: () => state,
    restore(saved) {
      state = saved as LossSpikeState;
    },
  };
}

function forgettingBoundRule({ corpus, maxIncrease, action }: Spec<"forgettingBound">): Rule {
  return {
    name: `forgettingBound/${corpus}`,
    afterMeasurement({ step, bitsPerByte, before }) {
      const [now, then] = [bitsPerByte.get(corpus), before.get(corpus)];
      if (now === undefined || then === undefined) return undefined;
      const { broken, increase } = judgeForgetting(maxIncrease, then, now);
      if (!broken) return undefined;
      return {
        action,
        reason: `step ${step}: ${corpus} is ${increase.toFixed(3)} bits per byte worse than before the run; ${maxIncrease} are allowed`,
      };
    },
  };
}

function weightAverageRule({ decay }: Spec<"weightAverage">, model: nn.Module): WeightAverageRule {
  const weights = model.namedParameters();
  const averages = weights.map(([, weight]) => keep(noGrad(() => weight.detach().clone())));
  let updates = 0;
  const exchange = () =>
    noGrad(() =>
      scope(() => {
        for (const [i, [, weight]] of weights.entries()) {
          const held = weight.detach().clone();
          weight.copy_(averages[i]!);
          averages[i]!.copy_(held);
        }
      }),
    );
  return {
    name: "weightAverage",
    afterUpdate() {
      const kept = averageKeep({ kind: "exponential", decay }, ++updates);
      noGrad(() => {
        torch._foreachMul_(averages, kept);
        torch._foreachAdd_(
          averages,
          weights.map(([, weight]) => weight),
          { alpha: 1 - kept },
        );
      });
    },
    state: () => ({ updates }),
    restore(saved) {
      updates = (saved as { updates: number }).updates;
    },
    tensors: () => new Map<string, Tensor>(weights.map(([name], i) => [name, averages[i]!])),
    withAverage(body) {
      exchange();
      try {
        return body();
      } finally {
        exchange();
      }
    },
  };
}
