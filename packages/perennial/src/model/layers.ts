/** A layer of a decoder in its layouts; which, the configuration says. */
// B batch · T positions · D hiddenSize
import { nn, type Tensor } from "@perennial/torch";
import { Attention, type Positions } from "./attention.ts";
import type { DecoderConfig } from "./config.ts";
import type { LayerCache } from "./key-value-cache.ts";
import { type Mlp, makeMlp } from "./mlp.ts";
import { makeNorm, type Norm } from "./norms.ts";

export abstract class DecoderLayer extends nn.Module {
  abstract readonly attention: Attention;
  abstract readonly mlp: Mlp;
  /** [B,T,D] → [B,T,D]. */
  abstract forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor;
}

class PreNormLayer extends DecoderLayer {
  readonly inputNorm: Norm;
  readonly attention: Attention;
  readonly postAttentionNorm: Norm;
  readonly mlp: Mlp;

  constructor(config: DecoderConfig) {
    super();
    this.inputNorm = makeNorm(config, config.hiddenSize);
    this.attention = new Attention(config);
    this.postAttentionNorm = makeNorm(config, config.hiddenSize);
    this.mlp = makeMlp(config);
  }

  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const mixed = this.attention.forward(this.inputNorm.forward(x), positions, cache);
    const [attended, normed] = this.postAttentionNorm.addThenNorm(mixed, x);
    return attended.add(this.mlp.forward(normed));
  }
}

class PostNormLayer extends DecoderLayer {
  readonly attention: Attention;
  readonly postAttentionNorm: Norm;
  readonly mlp: Mlp;
  readonly postMlpNorm: Norm;

  constructor(config: DecoderConfig) {
    super();
    this.attention = new Attention(config);
    this.postAttentionNorm = makeNorm(config, config.hiddenSize);
    this.mlp = makeMlp(config);
    this.postMlpNorm = makeNorm(config, config.hiddenSize);
  }

  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const attended = x.add(this.postAttentionNorm.forward(this.attention.forward(x, positions, cache)));
    return attended.add(this.postMlpNorm.forward(this.mlp.forward(attended)));
  }
}

class SandwichLayer extends DecoderLayer {
  readonly inputNorm: Norm;
  readonly attention: Attention;
  readonly postAttentionNorm: Norm;
  readonly preMlpNorm: Norm;
  readonly mlp: Mlp;
  readonly postMlpNorm: Norm;

  constructor(config: DecoderConfig) {
    super();
    this.inputNorm = makeNorm(config, config.hiddenSize);
    this.attention = new Attention(config);
    this.postAttentionNorm = makeNorm(config, config.hiddenSize);
    this.preMlpNorm = makeNorm(config, config.hiddenSize);
    this.mlp = makeMlp(config);
    this.postMlpNorm = makeNorm(config, config.hiddenSize);
  }

  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const mixed = this.postAttentionNorm.forward(this.attention.forward(this.inputNorm.forward(x), positions, cache));
    const [attended, normed] = this.preMlpNorm.addThenNorm(mixed, x);
    return attended.add(this.postMlpNorm.forward(this.mlp.forward(normed)));
  }
}

class ParallelLayer extends DecoderLayer {
  readonly inputNorm: Norm;
  readonly attention: Attention;
  /** Null when attention and MLP read the same normed input. */
  readonly mlpNorm: Norm | null;
  readonly mlp: Mlp;

  constructor(config: DecoderConfig) {
    super();
    this.inputNorm = makeNorm(config, config.hiddenSize);
    this.attention = new Attention(config);
    this.mlpNorm = config.layout === "parallel" ? makeNorm(config, config.hiddenSize) : null;
    this.mlp = makeMlp(config);
  }

  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const normed = this.inputNorm.forward(x);
    const mixed = this.attention.forward(normed, positions, cache);
    return x.add(mixed).add(this.mlp.forward(this.mlpNorm === null ? normed : this.mlpNorm.forward(x)));
  }
}

const layouts = {
  pre: PreNormLayer,
  post: PostNormLayer,
  sandwich: SandwichLayer,
  parallel: ParallelLayer,
  parallelShared: ParallelLayer,
} as const;

export const makeLayer = (config: DecoderConfig): DecoderLayer => new layouts[config.layout](config);
