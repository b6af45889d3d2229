// B batch · T new positions · S all positions, cached ones included · D hiddenSize · F intermediateSize · V vocabSize
// H numAttentionHeads · K numKeyValueHeads · E headDim
import { checkpoint, isGradEnabled, keep, nn, noGrad, scope, type Tensor, torch } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";
import type { KeyValueCache, LayerCache } from "./key-value-cache.ts";
import { applyRope, ropeTable } from "./rope.ts";

/** Which positions a position may attend to, and the rotary angles: the same for every layer. */
interface Positions {
  readonly cos: Tensor; // [B|1,1,T,E]
  readonly sin: Tensor;
  /** [B,1,T,S] true = may attend; null = plain causal. */
  readonly mask: Tensor | null;
}

export interface DecoderInput {
  /** [B,T] token ids, int64. */
  readonly inputIds: Tensor;
  /** [B,T] positions, int64. Default: 0 … T − 1, after those in the cache. */
  readonly positionIds?: Tensor | undefined;
  /** [B,T] document numbers: attention stays inside a document. Default: one document a row. */
  readonly documentIds?: Tensor | undefined;
  /** [B,S] true = a real token, false = padding on the left. */
  readonly attentionMask?: Tensor | undefined;
  readonly cache?: KeyValueCache | undefined;
  /** Recompute each layer in backward instead of keeping its activations. */
  readonly activationCheckpointing?: boolean | undefined;
}

class Attention extends nn.Module {
  readonly qProj: nn.Linear;
  readonly kProj: nn.Linear;
  readonly vProj: nn.Linear;
  readonly oProj: nn.Linear;
  private readonly numHeads: number;
  private readonly numKeyValueHeads: number;
  private readonly headDim: number;

  constructor({ hiddenSize: D, numAttentionHeads: H, numKeyValueHeads: K, headDim: E, attentionBias, attentionOutBias }: DecoderConfig) {
    super();
    this.qProj = new nn.Linear(D, H * E, { bias: attentionBias });
    this.kProj = new nn.Linear(D, K * E, { bias: attentionBias });
    this.vProj = new nn.Linear(D, K * E, { bias: attentionBias });
    this.oProj = new nn.Linear(H * E, D, { bias: attentionOutBias });
    [this.numHeads, this.numKeyValueHeads, this.headDim] = [H, K, E];
  }

  /** [B,T,D] → [B,T,D]. */
  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const [B, T] = x.shape as [number, number];
    const heads = (flat: Tensor, count: number) => flat.view([B, T, count, this.headDim]).transpose(1, 2); // [B,T,·E] → [B,·,T,E]
    const q = applyRope(heads(this.qProj.forward(x), this.numHeads), positions.cos, positions.sin);
    let k = applyRope(heads(this.kProj.forward(x), this.numKeyValueHeads), positions.cos, positions.sin);
    let v = heads(this.vProj.forward(x), this.numKeyValueHeads);
    if (cache !== undefined) [k, v] = cache.append(k, v);
    const causal = positions.mask === null && T > 1;
    const mixed = nn.scaledDotProductAttention(q, k, v, { causal, mask: positions.mask }); // [B,H,T,E]
    return this.oProj.forward(mixed.transpose(1, 2).reshape([B, T, this.numHeads * this.headDim]));
  }
}

class Mlp extends nn.Module {
  readonly gateProj: nn.Linear;
  readonly upProj: nn.Linear;
  readonly downProj: nn.Linear;

  constructor({ hiddenSize: D, intermediateSize: F, mlpBias: bias }: DecoderConfig) {
    super();
    this.gateProj = new nn.Linear(D, F, { bias });
    this.upProj = new nn.Linear(D, F, { bias });
    this.downProj = new nn.Linear(F, D, { bias });
  }

  forward(x: Tensor): Tensor {
    return this.downProj.forward(torch.silu(this.gateProj.forward(x)).mul(this.upProj.forward(x)));
  }
}

export class DecoderLayer extends nn.Module {
  readonly inputNorm: nn.RMSNorm;
  readonly attention: Attention;
  readonly postAttentionNorm: nn.RMSNorm;
  readonly mlp: Mlp;

  constructor(config: DecoderConfig) {
    super();
    this.inputNorm = new nn.RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    this.attention = new Attention(config);
    this.postAttentionNorm = new nn.RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    this.mlp = new Mlp(config);
  }

  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const attended = x.add(this.attention.forward(this.inputNorm.forward(x), positions, cache));
    return attended.add(this.mlp.forward(this.postAttentionNorm.forward(attended)));
  }
}

/** A decoder-only language model of the Llama family. */
export class Decoder extends nn.Module {
  readonly config: DecoderConfig;
  readonly embedTokens: nn.Embedding;
  readonly layers: readonly DecoderLayer[];
  readonly norm: nn.RMSNorm;
  /** Null when the embedding is used for the output as well. */
  readonly lmHead: nn.Linear | null;
  private rope: { cos: Tensor; sin: Tensor } | undefined;

  /** Weights are drawn from N(0, initializerRange) by the default generator, biases are zero, norms one. */
  constructor(config: DecoderConfig) {
    super();
    this.config = config;
    this.embedTokens = new nn.Embedding(config.vocabSize, config.hiddenSize);
    this.layers = Array.from({ length: config.numHiddenLayers }, () => new DecoderLayer(config));
    this.norm = new nn.RMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    this.lmHead = config.tieWordEmbeddings ? null : new nn.Linear(config.hiddenSize, config.vocabSize, { bias: false });
    for (const [, module] of this.namedModules()) {
      if (module instanceof nn.Linear || module instanceof nn.Embedding) nn.init.normal(module.weight, 0, config.initializerRange);
      if (module instanceof nn.Linear && module.bias !== null) nn.init.zeros(module.bias);
    }
  }

  /** The weight that turns hidden states into logits, [V,D]. */
  get outputWeight(): Tensor {
    return this.lmHead?.weight ?? this.embedTokens.weight;
  }

  /** Hidden states after the last norm: ids [B,T] → [B,T,D]. */
  hiddenStates(input: DecoderInput): Tensor {
    const { cache } = input;
    const positions = this.positionsOf(input);
    let x = this.embedTokens.forward(input.inputIds);
    for (const [i, layer] of this.layers.entries()) {
      const step = (hidden: Tensor) => layer.forward(hidden, positions, cache?.layers[i]);
      // What a layer leaves behind for backward is held by the graph; the scope drops TypeScript's own hold on it.
      const before = x;
      x = input.activationCheckpointing === true && isGradEnabled() ? checkpoint(step, [before]) : scope(() => step(before));
    }
    cache?.advance(input.inputIds.size(1));
    return this.norm.forward(x);
  }

  /** ids [B,T] → logits [B,T,V]. */
  logits(input: DecoderInput): Tensor {
    return torch.linear(this.hiddenStates(input), this.outputWeight, null);
  }

  private positionsOf({ inputIds, positionIds, documentIds, attentionMask, cache }: DecoderInput): Positions {
    return noGrad(() =>
      scope(() => {
        const [, T] = inputIds.shape as [number, number];
        const past = cache?.length ?? 0;
        const { cos, sin } = this.ropeFor(Math.max(past + T, this.config.slidingWindow === null ? 0 : 1));
        const pick = (table: Tensor) =>
          positionIds === undefined
            ? torch.alias(table.slice(0, past, past + T)).view([1, 1, T, -1])
            : torch.embedding(table, positionIds).unsqueeze(1); // [B,1,T,E]
        return { cos: pick(cos), sin: pick(sin), mask: this.mask(T, past, documentIds, attentionMask) };
      }),
    );
  }

  private mask(T: number, past: number, documentIds: Tensor | undefined, attentionMask: Tensor | undefined): Tensor | null {
    const S = past + T;
    const window = this.config.slidingWindow;
    const windowed = window !== null && window < S;
    if (documentIds === undefined && attentionMask === undefined && !windowed && (past === 0 || T === 1)) return null;
    const query = torch.arange(past, S).unsqueeze(1); // [T,1]
    const key = torch.arange(S).unsqueeze(0); // [1,S]
    let mask = key.le(query); // [T,S]
    if (windowed) mask = mask.logicalAnd(query.sub(key).lt(window));
    mask = mask.view([1, 1, T, S]);
    if (documentIds !== undefined) mask = mask.logicalAnd(documentIds.unsqueeze(1).unsqueeze(-1).eq(documentIds.unsqueeze(1).unsqueeze(2)));
    if (attentionMask !== undefined) {
      // A padded query sees itself, so that its softmax has something to sum over.
      const own = torch.eye(S, { dtype: "bool" }).slice(0, past, S).view([1, 1, T, S]);
      mask = mask.logicalAnd(attentionMask.view([-1, 1, 1, S])).logicalOr(own);
    }
    return mask;
  }

  private ropeFor(length: number): { cos: Tensor; sin: Tensor } {
    if (this.rope === undefined || this.rope.cos.size(0) < length) {
      const table = ropeTable(this.config, Math.max(length, Math.min(this.config.maxPositionEmbeddings, 2 * length)));
      this.rope?.cos.dispose();
      this.rope?.sin.dispose();
      this.rope = { cos: keep(table.cos), sin: keep(table.sin) };
    }
    return this.rope;
  }
}
