import * as fused from "../fused/index.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { Optimizer, type ParameterGroup, type Parameters } from "./optimizer.ts";

export interface AdamWSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  /** Decoupled: w ← w − η λ w. */
  weightDecay: number;
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101), on libtorch's fused multi-tensor kernel:
 *   m ← β₁ m + (1 − β₁) g      v ← β₂ v + (1 − β₂) g²
 *   w ← w − η λ w − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 * State: m and v per parameter, in the parameter's dtype; t, one for all.
 */
export class AdamW extends Optimizer<AdamWSettings> {
  constructor(parameters: Parameters<AdamWSettings>, settings: Partial<AdamWSettings> = {}) {
    super(parameters, { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01, ...settings });
    const bad = this.groups.find(
      (group) => !(group.learningRate >= 0 && group.beta1 >= 0 && group.beta1 < 1 && group.beta2 >= 0 && group.beta2 < 1 && group.eps >= 0),
    );
    if (bad !== undefined) throw new RangeError(`AdamW: expected learningRate ≥ 0, 0 ≤ beta < 1 and eps ≥ 0 in ${bad.name}`);
  }

  protected override prepare(): void {
    for (const g of this.groups.keys()) this.moments(g);
  }

  protected override update(group: ParameterGroup<AdamWSettings>, index: number, gradScale: number): void {
    const { indices, parameters, gradients: raw } = this.withGradients(group);
    if (parameters.length === 0) return;
    const { expAvg, expAvgSq } = this.moments(index);
    const pick = (list: readonly Tensor[]) => indices.map((i) => list[i]!);
    const { learningRate, beta1, beta2, eps, weightDecay } = group;
    if ([...parameters, ...raw].every(isPlain)) {
      fused.adamw(parameters, raw, pick(expAvg), pick(expAvgSq), learningRate, beta1, beta2, eps, weightDecay, this.stepCount, gradScale);
      return;
    }
    const gradients = gradScale === 1 ? raw : torch._foreachMul(raw, gradScale);
    const step = torch.full([], this.stepCount, { dtype: "float32", device: parameters[0]!.device });
    torch._fusedAdamw_(
      parameters,
      gradients,
      pick(expAvg),
      pick(expAvgSq),
      [],
      indices.map(() => step),
      {
        lr: group.learningRate,
        beta1: group.beta1,
        beta2: group.beta2,
        weightDecay: group.weightDecay,
        eps: group.eps,
        amsgrad: false,
        maximize: false,
      },
    );
  }

  private moments(group: number) {
    return {
      expAvg: this.slot("expAvg", group, (parameter) => torch.zerosLike(parameter.detach())),
      expAvgSq: this.slot("expAvgSq", group, (parameter) => torch.zerosLike(parameter.detach())),
    };
  }
}

/** What the fused update takes. */
const isPlain = (tensor: Tensor) => tensor.dtype === "float32" && tensor.device === "cpu" && tensor.isContiguous();
