/** Losses as functions: each gives a scalar by default. */
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";

export type Reduction = "mean" | "sum" | "none";
const reductions = { none: 0, mean: 1, sum: 2 } as const;

/**
 * Cross-entropy in nats between logits [N, C] (or [N, C, …]) and class ids [N] (or [N, …]).
 * `ignoreIndex` (−100) marks targets that do not count; the mean divides by those that do.
 */
export const crossEntropy = (
  logits: Tensor,
  targets: Tensor,
  options: { weight?: Tensor | null; reduction?: Reduction; ignoreIndex?: number; labelSmoothing?: number } = {},
): Tensor =>
  torch.crossEntropyLoss(logits, targets, {
    weight: options.weight ?? null,
    reduction: reductions[options.reduction ?? "mean"],
    ignoreIndex: options.ignoreIndex ?? -100,
    labelSmoothing: options.labelSmoothing ?? 0,
  });

export const mseLoss = (input: Tensor, target: Tensor, reduction: Reduction = "mean"): Tensor =>
  torch.mseLoss(input, target, reductions[reduction]);
export const l1Loss = (input: Tensor, target: Tensor, reduction: Reduction = "mean"): Tensor =>
  torch.l1Loss(input, target, reductions[reduction]);

/** Σ target · (log target − input), `input` being log-probabilities; `logTarget` when the target is in logs too. */
export const klDivergence = (input: Tensor, target: Tensor, options: { reduction?: Reduction; logTarget?: boolean } = {}): Tensor =>
  torch.klDiv(input, target, { reduction: reductions[options.reduction ?? "mean"], logTarget: options.logTarget ?? false });

export const binaryCrossEntropyWithLogits = (
  input: Tensor,
  target: Tensor,
  options: { reduction?: Reduction; positiveWeight?: Tensor | null } = {},
): Tensor =>
  torch.binaryCrossEntropyWithLogits(input, target, {
    posWeight: options.positiveWeight ?? null,
    reduction: reductions[options.reduction ?? "mean"],
  });
