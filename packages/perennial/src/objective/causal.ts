import { fused } from "@perennial/torch";
import { batchTensors } from "./batch-tensors.ts";
import type { Objective } from "./objective.ts";

export interface CausalOptions {
  /** Weight of the squared log-normalizer, (log Σ exp logits)² per target (Chowdhery et al., arXiv 2204.02311). */
  readonly zLoss?: number;
}

/**
 * Next-token prediction: −Σ log p(label | tokens before), in nats over the labels that are not −100,
 * plus zLoss · Σ (log Σ_v exp logit_v)², which keeps the logits of large vocabularies from drifting.
 */
export function causal({ zLoss = 0 }: CausalOptions = {}): Objective {
  return {
    name: "causal",
    lossSum(model, batch, { activationCheckpointing }) {
      const { inputIds, labels, positionIds, documentIds } = batchTensors(batch);
      const hidden = model.hiddenStates({ inputIds, positionIds, documentIds, activationCheckpointing });
      const [lossSum, reported] = fused.linearCrossEntropy(
        hidden.view([-1, model.config.hiddenSize]),
        model.outputWeight,
        labels.view([-1]),
        { zLoss },
      );
      return { lossSum, reported };
    },
  };
}
