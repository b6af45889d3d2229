import { nn, torch } from "@perennial/torch";
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
      const logits = torch.linear(hidden, model.outputWeight).view([-1, model.config.vocabSize]);
      const targets = labels.view([-1]);
      const loss = nn.crossEntropy(logits, targets, { reduction: "sum" });
      if (zLoss === 0) return { lossSum: loss, reported: loss.detach() };
      const normalizer = torch.logsumexp(logits, -1).square();
      const penalty = torch.where(targets.ne(-100), normalizer, torch.zerosLike(normalizer)).sum().mul(zLoss);
      return { lossSum: loss.add(penalty), reported: loss.detach() };
    },
  };
}
