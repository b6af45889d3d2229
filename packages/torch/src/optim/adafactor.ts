import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { Optimizer, type ParameterGroup, type Parameters } from "./optimizer.ts";

export interface AdafactorSettings {
  /** Ceiling of the relative step size, and the factor of weight decay. */
  learningRate: number;
  /** τ ≤ 0: β₂ at step t is 1 − t^τ. */
  beta2Decay: number;
  /** Smallest denominator; null is the machine epsilon of the parameter's dtype. */
  eps1: number | null;
  /** Smallest root mean square of a parameter that scales its step. */
  eps2: number;
  /** d ≥ 1: the root mean square that an update may have. */
  clipThreshold: number;
  /** Decoupled: w ← w − η λ w. */
  weightDecay: number;
}

const MACHINE_EPSILON: Readonly<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52, bfloat16: 2 ** -7, float16: 2 ** -10 };

/**
 * Adafactor (Shazeer & Stern, arXiv 1804.04235), in PyTorch's form. For g of shape [...,R,C], t counted from a parameter's first step, 1:
 *   ρ = min(η, 1/√t)      α = ρ · max(ε₂, RMS(w))      w ← w − η λ w      s = t^τ
 *   r ← r + s (mean_C(g²) − r)  [...,R,1]      c ← c + s (mean_R(g²) − c)  [...,1,C]
 *   v = r c / max(mean_R(r), ε₁)      (a vector keeps v itself: v ← v + s (g² − v))
 *   u = g / √max(v, ε₁²)      w ← w − α u / max(1, RMS(u) / d)
 * State: r and c, or v, per parameter, in the parameter's dtype: R + C numbers where Adam holds 2 R C.
 * The norms of all parameters, and then of all updates, are read from the device at once: two waits a step and group.
 */
export class Adafactor extends Optimizer<AdafactorSettings> {
  constructor(parameters: Parameters<AdafactorSettings>, settings: Partial<AdafactorSettings> = {}) {
    super(parameters, { learningRate: 1e-2, beta2Decay: -0.8, eps1: null, eps2: 1e-3, clipThreshold: 1, weightDecay: 0, ...settings });
    const bad = this.groups.find(
      (group) =>
        !(group.learningRate >= 0 && group.beta2Decay <= 0 && (group.eps1 ?? 0) >= 0 && group.eps2 >= 0) ||
        !(group.clipThreshold >= 1 && group.weightDecay >= 0),
    );
    if (bad !== undefined)
      throw new RangeError(
        `Adafactor: expected learningRate, eps1, eps2 and weightDecay ≥ 0, beta2Decay ≤ 0 and clipThreshold ≥ 1 in ${bad.name}`,
      );
  }

  protected override prepare(group: number): void {
    this.factors(group);
  }

  protected override update(group: ParameterGroup<AdafactorSettings>, index: number, gradScale: number): void {
    const { indices, parameters, gradients: raw, steps } = this.withGradients(group);
    if (parameters.length === 0) return;
    const gradients = gradScale === 1 ? raw : torch._foreachMul(raw, gradScale);
    const { learningRate, beta2Decay, weightDecay, clipThreshold } = group;
    const alphas = rootMeanSquares(parameters).map(
      (rms, n) => Math.max(group.eps2, rms) * Math.min(learningRate, 1 / Math.sqrt(steps[n]!)),
    );
    if (weightDecay !== 0) torch._foreachMul_(parameters, 1 - learningRate * weightDecay);
    const { row, column } = this.factors(index);
    const updates = indices.map((i, n) => {
      const eps1 = group.eps1 ?? MACHINE_EPSILON[parameters[n]!.dtype] ?? 2 ** -23;
      return secondMoment(gradients[n]!, row[i]!, column[i]!, steps[n]! ** beta2Decay, eps1)
        .clampMin_(eps1 * eps1)
        .rsqrt_();
    });
    torch._foreachMul_(updates, gradients);
    const factors = rootMeanSquares(updates).map((rms, n) => -alphas[n]! / Math.max(1, rms / clipThreshold));
    torch._foreachMul_(updates, factors);
    torch._foreachAdd_(parameters, updates);
  }

  /** A vector's `row` is its whole second moment; its `column` is empty. */
  private factors(group: number) {
    const zeros = (parameter: Tensor, dim: -1 | -2) => {
      const shape = [...parameter.shape];
      if (shape.length > 1) shape[shape.length + dim] = 1;
      else if (dim === -2) shape.splice(0, 1, 0);
      return torch.zeros(shape, { dtype: parameter.dtype, device: parameter.device });
    };
    return {
      row: this.slot("rowVariance", group, (parameter) => zeros(parameter, -1)),
      column: this.slot("columnVariance", group, (parameter) => zeros(parameter, -2)),
    };
  }
}

/** Takes `gradient` into the running second moment and returns a new tensor with its estimate, in the gradient's shape. */
function secondMoment(gradient: Tensor, row: Tensor, column: Tensor, share: number, eps1: number): Tensor {
  if (gradient.ndim < 2) return row.lerp_(gradient.square(), share).clone();
  const meanSquare = (dim: number) => torch.linalgVectorNorm(gradient, 2, [dim], true).square_().div_(gradient.size(dim));
  row.lerp_(meanSquare(-1), share);
  column.lerp_(meanSquare(-2), share);
  return row.matmul(column).div_(row.mean([-2], true).clampMin_(eps1));
}

function rootMeanSquares(tensors: readonly Tensor[]): number[] {
  const norms = torch.stack(torch._foreachNorm(tensors, 2).map((norm) => norm.to("float64"))).toTypedArray() as Float64Array;
  return tensors.map((tensor, i) => norms[i]! / Math.sqrt(tensor.numel));
}
