/** The norms of a decoder: each alone, and after a sum with the residual stream, where a fused kernel may do both. */
// D size
import { fused, nn, type Tensor } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";

export interface Norm extends nn.Module {
  forward(x: Tensor): Tensor;
  /** x + residual, and the norm of that. */
  addThenNorm(x: Tensor, residual: Tensor): [sum: Tensor, normed: Tensor];
}

class RmsNorm extends nn.RMSNorm implements Norm {
  override forward(x: Tensor): Tensor {
    return fused.rmsNorm(x, this.weight, this.eps);
  }

  addThenNorm(x: Tensor, residual: Tensor): [Tensor, Tensor] {
    return fused.addRmsNorm(x, residual, this.weight, this.eps);
  }
}

/** RMS norm whose stored weight is the factor minus one. */
class OffsetRmsNorm extends nn.RMSNorm implements Norm {
  constructor(size: number, options: { eps: number }) {
    super(size, options);
    nn.init.zeros(this.weight);
  }

  override forward(x: Tensor): Tensor {
    return fused.rmsNorm(x, this.weight.add(1), this.eps);
  }

  addThenNorm(x: Tensor, residual: Tensor): [Tensor, Tensor] {
    return fused.addRmsNorm(x, residual, this.weight.add(1), this.eps);
  }
}

class LayerNorm extends nn.LayerNorm implements Norm {
  addThenNorm(x: Tensor, residual: Tensor): [Tensor, Tensor] {
    const sum = x.add(residual);
    return [sum, this.forward(sum)];
  }
}

export function makeNorm({ norm, normOffset, rmsNormEps: eps }: DecoderConfig, size: number): Norm {
  if (norm === "layer") return new LayerNorm(size, { eps });
  return normOffset === 0 ? new RmsNorm(size, { eps }) : new OffsetRmsNorm(size, { eps });
}
