// D hiddenSize · F intermediateSize
import { fused, nn, type Tensor, torch } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";

const activations: Readonly<Record<DecoderConfig["activation"], (x: Tensor) => Tensor>> = {
  silu: (x) => torch.silu(x),
  gelu: (x) => torch.gelu(x),
  geluTanh: (x) => torch.gelu(x, { approximate: "tanh" }),
};

export interface Mlp extends nn.Module {
  /** [..., D] → [..., D]. */
  forward(x: Tensor): Tensor;
}

/** down(act(gate x) · up x). */
class GatedMlp extends nn.Module implements Mlp {
  readonly gateProj: nn.Linear;
  readonly upProj: nn.Linear;
  readonly downProj: nn.Linear;
  private readonly product: (gate: Tensor, up: Tensor) => Tensor;

  constructor({ hiddenSize: D, intermediateSize: F, mlpBias: bias, activation }: DecoderConfig) {
    super();
    this.gateProj = new nn.Linear(D, F, { bias });
    this.upProj = new nn.Linear(D, F, { bias });
    this.downProj = new nn.Linear(F, D, { bias });
    this.product = activation === "silu" ? fused.swiglu : (gate, up) => activations[activation](gate).mul(up);
  }

  forward(x: Tensor): Tensor {
    const [gate, up] = nn.forwardAll([this.gateProj, this.upProj], x);
    return this.downProj.forward(this.product(gate!, up!));
  }
}

/** down(act(up x)). */
class PlainMlp extends nn.Module implements Mlp {
  readonly upProj: nn.Linear;
  readonly downProj: nn.Linear;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize: D, intermediateSize: F, mlpBias: bias, activation }: DecoderConfig) {
    super();
    this.upProj = new nn.Linear(D, F, { bias });
    this.downProj = new nn.Linear(F, D, { bias });
    this.activation = activations[activation];
  }

  forward(x: Tensor): Tensor {
    return this.downProj.forward(this.activation(this.upProj.forward(x)));
  }
}

export const makeMlp = (config: DecoderConfig): Mlp => (config.mlp === "gated" ? new GatedMlp(config) : new PlainMlp(config));
