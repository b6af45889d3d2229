import { isCapturing } from "../cuda/graph.ts";
import * as fused from "../fused/index.ts";
import { keep } from "../scope.ts";
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
  /** Steps and rate live on the device, so that a step can be captured in a graph (`cuda.capture`). */
  capturable: boolean;
}

interface Update {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
  /** Of this parameter, with the present one. */
  readonly step: number;
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101), on libtorch's fused multi-tensor kernel:
 *   m ← β₁ m + (1 − β₁) g      v ← β₂ v + (1 − β₂) g²
 *   w ← w − η λ w − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 * State: m and v per parameter, in the parameter's dtype; t counts the steps of each parameter.
 */
export class AdamW extends Optimizer<AdamWSettings> {
  private readonly rates = new Map<number, Tensor>();

  constructor(parameters: Parameters<AdamWSettings>, settings: Partial<AdamWSettings> = {}) {
    super(parameters, { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01, capturable: false, ...settings });
    const bad = this.groups.find(
      (group) => !(group.learningRate >= 0 && group.beta1 >= 0 && group.beta1 < 1 && group.beta2 >= 0 && group.beta2 < 1 && group.eps >= 0),
    );
    if (bad !== undefined) throw new RangeError(`AdamW: expected learningRate ≥ 0, 0 ≤ beta < 1 and eps ≥ 0 in ${bad.name}`);
  }

  protected override prepare(group: number): void {
    this.moments(group);
    if (this.groups[group]!.capturable) this.counts(group);
  }

  protected override update(group: ParameterGroup<AdamWSettings>, index: number, gradScale: number): void {
    const { indices, parameters, gradients, steps } = this.withGradients(group);
    if (parameters.length === 0) return;
    const { expAvg, expAvgSq } = this.moments(index);
    const all = indices.map(
      (i, n): Update => ({
        parameter: parameters[n]!,
        gradient: gradients[n]!,
        first: expAvg[i]!,
        second: expAvgSq[i]!,
        step: steps[n]!,
      }),
    );
    if (group.capturable) this.updateOnDevice(all, group, index, indices, gradScale);
    else
      for (const step of new Set(steps))
        updateFromHost(
          all.filter((one) => one.step === step),
          group,
          step,
          gradScale,
        );
  }

  /** Step counts and rate are read on the device: the same launches do the next step. */
  private updateOnDevice(all: Update[], group: ParameterGroup<AdamWSettings>, index: number, indices: number[], gradScale: number): void {
    const counts = this.counts(index);
    const steps = indices.map((i) => counts[i]!);
    torch._foreachAdd_(steps, 1);
    // Captured, a fill would bring today's rate back at every replay.
    if (!isCapturing()) this.rate(index).fill_(group.learningRate);
    fusedAdamw(all, group, this.rate(index), steps, gradScale);
  }

  /**
   * Tells the device the learning rates of capturable groups. A replayed step does not see a rate that changed in
   * JavaScript since it was captured: set it, call this, then replay.
   */
  sendLearningRates(): void {
    for (const [g, group] of this.groups.entries()) if (group.capturable) this.rate(g).fill_(group.learningRate);
  }

  private rate(group: number): Tensor {
    let rate = this.rates.get(group);
    if (rate === undefined) {
      const { parameters, learningRate } = this.groups[group]!;
      rate = keep(torch.full([], learningRate, { dtype: "float32", device: parameters[0]!.device }));
      this.rates.set(group, rate);
    }
    return rate;
  }

  private counts(group: number) {
    return this.slot("step", group, (parameter) => torch.zeros([], { dtype: "float32", device: parameter.device }));
  }

  private moments(group: number) {
    return {
      expAvg: this.slot("expAvg", group, (parameter) => torch.zerosLike(parameter.detach())),
      expAvgSq: this.slot("expAvgSq", group, (parameter) => torch.zerosLike(parameter.detach())),
    };
  }

  override dispose(): void {
    super.dispose();
    for (const rate of this.rates.values()) rate.dispose();
    this.rates.clear();
  }
}

/** Parameters that take the same step. */
function updateFromHost(updates: Update[], group: ParameterGroup<AdamWSettings>, step: number, gradScale: number): void {
  const of = (name: "parameter" | "gradient" | "first" | "second") => updates.map((update) => update[name]);
  if (updates.every(({ parameter, gradient }) => isPlain(parameter) && isPlain(gradient))) {
    const { learningRate, beta1, beta2, eps, weightDecay } = group;
    fused.adamw(of("parameter"), of("gradient"), of("first"), of("second"), learningRate, beta1, beta2, eps, weightDecay, step, gradScale);
    return;
  }
  const count = torch.full([], step, { dtype: "float32", device: updates[0]!.parameter.device });
  fusedAdamw(
    updates,
    group,
    group.learningRate,
    updates.map(() => count),
    gradScale,
  );
}

/** libtorch's multi-tensor kernel; `rate` and `steps` as tensors are read where they are. */
function fusedAdamw(
  updates: Update[],
  group: ParameterGroup<AdamWSettings>,
  rate: number | Tensor,
  steps: Tensor[],
  gradScale: number,
): void {
  const raw = updates.map(({ gradient }) => gradient);
  const { beta1, beta2, eps, weightDecay } = group;
  torch._fusedAdamw_(
    updates.map(({ parameter }) => parameter),
    gradScale === 1 ? raw : torch._foreachMul(raw, gradScale),
    updates.map(({ first }) => first),
    updates.map(({ second }) => second),
    [],
    steps,
    // Two overloads, alike but for this type.
    { lr: rate as number, beta1, beta2, weightDecay, eps, amsgrad: false, maximize: false },
  );
}

/** What the fused update takes. */
const isPlain = (tensor: Tensor) => tensor.dtype === "float32" && tensor.device === "cpu" && tensor.isContiguous();
