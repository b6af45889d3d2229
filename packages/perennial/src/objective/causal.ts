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
      const [lossSum, reported] = model.crossEntropySum(hidden.view([-1, model.config.hiddenSize]), labels.view([-1]), { zLoss });
      return { lossSum, reported };
    },
  };
}
