import { torch } from "../torch.ts";
import { Optimizer, type ParameterGroup, type Parameters } from "./optimizer.ts";

export interface SGDSettings {
  learningRate: number;
  momentum: number;
  dampening: number;
  nesterov: boolean;
  /** Added to the gradient: g ← g + λ w. */
  weightDecay: number;
}

/**
 * Stochastic gradient descent with momentum, PyTorch's form:
 *   b ← μ b + (1 − dampening) g   (b ← g at a parameter's first step)      w ← w − η b,   or − η (g + μ b) with Nesterov.
 */
export class SGD extends Optimizer<SGDSettings> {
  constructor(parameters: Parameters<SGDSettings>, settings: Partial<SGDSettings> = {}) {
    super(parameters, { learningRate: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, ...settings });
    const bad = this.groups.find((group) => group.nesterov && (group.momentum <= 0 || group.dampening !== 0));
    if (bad !== undefined) throw new RangeError(`SGD: Nesterov needs momentum > 0 and dampening 0 in ${bad.name}`);
  }

  protected override prepare(group: number): void {
    if (this.groups[group]!.momentum !== 0) this.buffers(group);
  }

  protected override update(group: ParameterGroup<SGDSettings>, index: number, gradScale: number): void {
    const { indices, parameters, gradients: raw, steps } = this.withGradients(group);
    if (parameters.length === 0) return;
    const gradients = gradScale === 1 ? raw : torch._foreachMul(raw, gradScale);
    let directions = group.weightDecay === 0 ? gradients : torch._foreachAdd(gradients, parameters, { alpha: group.weightDecay });
    if (group.momentum !== 0) {
      const buffers = this.buffers(index);
      const own = indices.map((i) => buffers[i]!);
      for (const isFirst of [true, false]) {
        const which = steps.flatMap((step, n) => ((step === 1) === isFirst ? [n] : []));
        if (which.length === 0) continue;
        const [some, toward] = [which.map((n) => own[n]!), which.map((n) => directions[n]!)];
        if (isFirst) torch._foreachCopy_(some, toward);
        else {
          torch._foreachMul_(some, group.momentum);
          torch._foreachAdd_(some, toward, { alpha: 1 - group.dampening });
        }
      }
      directions = group.nesterov ? torch._foreachAdd(directions, own, { alpha: group.momentum }) : own;
    }
    torch._foreachAdd_(parameters, directions, { alpha: -group.learningRate });
  }

  private buffers(group: number) {
    return this.slot("momentum", group, (parameter) => torch.zerosLike(parameter.detach()));
  }
}
