import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import { Optimizer, type ParameterGroup, type Parameters } from "./optimizer.ts";

export interface MuonSettings {
  learningRate: number;
  momentum: number;
  nesterov: boolean;
  /** Decoupled: w ← w − η λ w. */
  weightDecay: number;
  /** a, b, c of the iteration. */
  coefficients: readonly [number, number, number];
  iterations: number;
  eps: number;
  /**
   * How the step grows with the shape [R,C] of a matrix: `original` √max(1, R/C), `matchRmsAdamw` 0.2 √max(R,C) (settings
   * of AdamW can be reused), `spectralUnclamped` √(R/C).
   */
  adjustment: "original" | "matchRmsAdamw" | "spectralUnclamped";
}

/**
 * Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon), in PyTorch's form; for the matrices of hidden layers only:
 *   m ← m + (1 − μ)(g − m)      u = m, or g + μ (m − g) with Nesterov
 *   w ← w − η λ w − η · adjustment(R, C) · orthogonalized(u)
 * State: m per parameter, in the parameter's dtype. Errors: a parameter that is not a matrix.
 */
export class Muon extends Optimizer<MuonSettings> {
  constructor(parameters: Parameters<MuonSettings>, settings: Partial<MuonSettings> = {}) {
    super(parameters, {
      learningRate: 1e-3,
      momentum: 0.95,
      nesterov: true,
      weightDecay: 0.1,
      coefficients: [3.4445, -4.775, 2.0315],
      iterations: 5,
      eps: 1e-7,
      adjustment: "original",
      ...settings,
    });
    for (const group of this.groups) {
      if (!(group.learningRate >= 0 && group.momentum >= 0 && group.weightDecay >= 0))
        throw new RangeError(`Muon: expected learningRate, momentum and weightDecay ≥ 0 in ${group.name}`);
      for (const [i, { shape }] of group.parameters.entries())
        if (shape.length !== 2)
          throw new RangeError(`Muon: expected matrices, received shape [${shape.join(", ")}] at ${i} in ${group.name}; give it to AdamW`);
    }
  }

  protected override prepare(group: number): void {
    this.buffers(group);
  }

  protected override update(group: ParameterGroup<MuonSettings>, index: number, gradScale: number): void {
    const { indices, parameters, gradients: raw } = this.withGradients(group);
    if (parameters.length === 0) return;
    const gradients = gradScale === 1 ? raw : torch._foreachMul(raw, gradScale);
    const { learningRate, momentum, nesterov, weightDecay } = group;
    const buffers = this.buffers(index);
    const own = indices.map((i) => buffers[i]!);
    torch._foreachLerp_(own, gradients, 1 - momentum);
    const directions = nesterov ? torch._foreachLerp(gradients, own, momentum) : own;
    torch._foreachMul_(parameters, 1 - learningRate * weightDecay);
    for (const [i, parameter] of parameters.entries()) {
      const [rows, columns] = parameter.shape as [number, number];
      const update = orthogonalize(directions[i]!, group);
      parameter.add_(update, { alpha: -learningRate * adjustments[group.adjustment](rows, columns) });
    }
  }

  private buffers(group: number) {
    return this.slot("momentum", group, (parameter) => torch.zerosLike(parameter.detach()));
  }
}

const adjustments: Record<MuonSettings["adjustment"], (rows: number, columns: number) => number> = {
  original: (rows, columns) => Math.sqrt(Math.max(1, rows / columns)),
  matchRmsAdamw: (rows, columns) => 0.2 * Math.sqrt(Math.max(rows, columns)),
  spectralUnclamped: (rows, columns) => Math.sqrt(rows / columns),
};

/**
 * Newton–Schulz iteration in bfloat16 towards the nearest orthogonal matrix of G [R,C], started from X = G / ‖G‖:
 *   A = X Xᵀ      X ← a X + (b A + c A²) X
 * The singular values end between about 0.5 and 1.5, which is near enough for a direction.
 */
export function orthogonalize(
  matrix: Tensor,
  { coefficients: [a, b, c], iterations, eps }: Pick<MuonSettings, "coefficients" | "iterations" | "eps">,
): Tensor {
  const tall = matrix.size(0) > matrix.size(1);
  let x = matrix.to({ dtype: "bfloat16", copy: true });
  if (tall) x = x.t();
  x.div_(x.norm().clampMin(eps));
  for (let i = 0; i < iterations; i++) {
    const gram = x.matmul(x.t());
    x = torch.addmm(x, torch.addmm(gram, gram, gram, { beta: b, alpha: c }), x, { beta: a });
  }
  return tall ? x.t() : x;
}
