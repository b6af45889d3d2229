/** The common layers, with PyTorch's defaults and initialization. */
import type { Dtype } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";
import * as init from "./init.ts";
import { linear, linears } from "./linear.ts";
import { Module, parameter } from "./module.ts";

/** y = x Wᵀ + b: [..., inFeatures] → [..., outFeatures]. */
export class Linear extends Module {
  weight: Tensor; // [outFeatures, inFeatures]
  bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean; dtype?: Dtype } = {}) {
    super();
    this.weight = parameter(init.kaimingUniform(empty([outFeatures, inFeatures], options.dtype), Math.sqrt(5)));
    const bound = 1 / Math.sqrt(inFeatures);
    this.bias = options.bias === false ? null : parameter(init.uniform(empty([outFeatures], options.dtype), -bound, bound));
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** What several layers make of the same input; in one operator where they are plain and without biases. */
export function forwardAll(layers: readonly Linear[], x: Tensor): Tensor[] {
  const plain = layers.every((layer) => layer.forward === Linear.prototype.forward && layer.bias === null);
  return plain
    ? linears(
        x,
        layers.map((layer) => layer.weight),
      )
    : layers.map((layer) => layer.forward(x));
}

/** Rows of a table: integer ids [...] → [..., embeddingDim]. The row `paddingIdx` starts at zero and gets no gradient. */
export class Embedding extends Module {
  weight: Tensor; // [numEmbeddings, embeddingDim]
  readonly paddingIdx: number;

  constructor(numEmbeddings: number, embeddingDim: number, options: { paddingIdx?: number; dtype?: Dtype } = {}) {
    super();
    this.weight = parameter(init.normal(empty([numEmbeddings, embeddingDim], options.dtype)));
    this.paddingIdx = options.paddingIdx ?? -1;
    if (this.paddingIdx >= 0) init.zeros(this.weight.detach().select(0, this.paddingIdx));
  }

  forward(ids: Tensor): Tensor {
    return torch.embedding(this.weight, ids, this.paddingIdx);
  }
}

/** (x − mean) / √(var + eps) · weight + bias over the last dimensions. */
export class LayerNorm extends Module {
  weight: Tensor;
  bias: Tensor | null;
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  constructor(normalizedShape: number | readonly number[], options: { eps?: number; bias?: boolean } = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    this.eps = options.eps ?? 1e-5;
    this.weight = parameter(init.ones(empty(this.normalizedShape)));
    this.bias = options.bias === false ? null : parameter(init.zeros(empty(this.normalizedShape)));
  }

  forward(x: Tensor): Tensor {
    return torch.layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }
}

/** x / √(mean(x²) + eps) · weight over the last dimension. */
export class RMSNorm extends Module {
  weight: Tensor;
  readonly eps: number;

  constructor(size: number, options: { eps?: number } = {}) {
    super();
    this.weight = parameter(init.ones(empty([size])));
    this.eps = options.eps ?? 1e-6;
  }

  forward(x: Tensor): Tensor {
    return torch.rmsNorm(x, [x.size(-1)], this.weight, this.eps);
  }
}

/** In training each element becomes 0 with probability p, the others grow by 1 / (1 − p). */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new RangeError(`Dropout: expected a probability from 0 to 1, received ${p}`);
    this.p = p;
  }

  forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? torch.dropout(x, this.p, true) : x;
  }
}

interface ConvolutionOptions {
  stride?: number | readonly number[];
  padding?: number | readonly number[];
  dilation?: number | readonly number[];
  groups?: number;
  bias?: boolean;
}

abstract class Convolution extends Module {
  weight: Tensor; // [outChannels, inChannels / groups, ...kernel]
  bias: Tensor | null;
  protected readonly options: ConvolutionOptions;

  constructor(inChannels: number, outChannels: number, kernel: readonly number[], options: ConvolutionOptions) {
    super();
    const groups = options.groups ?? 1;
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new RangeError(`Convolution: ${inChannels} input and ${outChannels} output channels must be multiples of ${groups} groups`);
    this.options = options;
    this.weight = parameter(init.kaimingUniform(empty([outChannels, inChannels / groups, ...kernel]), Math.sqrt(5)));
    const bound = 1 / Math.sqrt(init.fans(this.weight)[0]);
    this.bias = options.bias === false ? null : parameter(init.uniform(empty([outChannels]), -bound, bound));
  }
}

/** [N, C, L] → [N, outChannels, L']. */
export class Conv1d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvolutionOptions = {}) {
    super(inChannels, outChannels, [kernelSize], options);
  }

  forward(x: Tensor): Tensor {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = this.options;
    return torch.conv1d(x, this.weight, this.bias, stride, padding, dilation, groups);
  }
}

/** [N, C, H, W] → [N, outChannels, H', W']. */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: number | readonly [number, number], options: ConvolutionOptions = {}) {
    super(inChannels, outChannels, typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = this.options;
    return torch.conv2d(x, this.weight, this.bias, stride, padding, dilation, groups);
  }
}

/** x Φ(x), exactly or by the tanh approximation. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor(approximate: "none" | "tanh" = "none") {
    super();
    this.approximate = approximate;
  }

  forward(x: Tensor): Tensor {
    return torch.gelu(x, { approximate: this.approximate });
  }
}

/** x · sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return torch.silu(x);
  }
}

/** Modules one after the other. */
export class Sequential extends Module {
  readonly layers: readonly (Module & { forward(x: Tensor): Tensor })[];

  constructor(...layers: (Module & { forward(x: Tensor): Tensor })[]) {
    super();
    this.layers = layers;
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x);
  }
}

const empty = (shape: readonly number[], dtype?: Dtype) => torch.empty(shape, { dtype: dtype ?? null });
