// B batch · T new positions · S all positions, cached ones included · D hiddenSize · F intermediateSize · V vocabSize
// H numAttentionHeads · K numKeyValueHeads · E headDim
import { checkpoint, fused, isGradEnabled, keep, nn, noGrad, scope, type Tensor, torch } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";
import type { KeyValueCache, LayerCache } from "./key-value-cache.ts";
import { ropeTable } from "./rope.ts";

/** Which positions a position may attend to, and the rotary angles: the same for every layer. */
interface Positions {
  readonly cos: Tensor; // [B|1,T,E]
  readonly sin: Tensor;
  /** (row, start, end) of every document in packed rows; null = one document a row, or a mask says more. */
  readonly segments: readonly number[] | null;
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
    const split = (flat: Tensor, count: number) => flat.view([B, T, count, this.headDim]); // [B,T,·E] → [B,T,·,E]
    const { cos, sin, mask, segments } = positions;
    const q = fused.rope(split(this.qProj.forward(x), this.numHeads), cos, sin).transpose(1, 2); // [B,H,T,E]
    let k = fused.rope(split(this.kProj.forward(x), this.numKeyValueHeads), cos, sin).transpose(1, 2); // [B,K,T,E]
    let v = split(this.vProj.forward(x), this.numKeyValueHeads).transpose(1, 2);
    if (cache !== undefined) [k, v] = cache.append(k, v);
    const mixed = // [B,H,T,E]
      segments === null
        ? nn.scaledDotProductAttention(q, k, v, { causal: mask === null && T > 1, mask })
        : fused.documentAttention(q, this.repeat(k), this.repeat(v), segments, this.headDim ** -0.5);
    return this.oProj.forward(mixed.transpose(1, 2).reshape([B, T, this.numHeads * this.headDim]));
  }

  /** Each key-value head beside the others of its group of queries: [B,K,T,E] → [B,H,T,E]. */
  private repeat(heads: Tensor): Tensor {
    const times = this.numHeads / this.numKeyValueHeads;
    return times === 1 ? heads : heads.repeatInterleave(times, 1);
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
    return this.downProj.forward(fused.swiglu(this.gateProj.forward(x), this.upProj.forward(x)));
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
    const { weight, eps } = this.postAttentionNorm;
    const mixed = this.attention.forward(this.inputNorm.forward(x), positions, cache);
    const [attended, normed] = fused.addRmsNorm(mixed, x, weight, eps);
    return attended.add(this.mlp.forward(normed));
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
            ? table.slice(0, past, past + T).unsqueeze(0) // [1,T,E]
            : torch.embedding(table, positionIds); // [B,T,E]
        const inSegments =
          documentIds !== undefined && attentionMask === undefined && past === 0 && this.config.slidingWindow === null && isCpu(inputIds);
        return {
          cos: pick(cos),
          sin: pick(sin),
          segments: inSegments ? segmentsOf(documentIds) : null,
          mask: inSegments ? null : this.mask(T, past, documentIds, attentionMask),
        };
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

const isCpu = (tensor: Tensor) => tensor.device === "cpu";

/** (row, start, end) of each run of equal document numbers. documentIds [B,T]. */
function segmentsOf(documentIds: Tensor): number[] {
  const [, T] = documentIds.shape as [number, number];
  const ids = documentIds.toTypedArray() as BigInt64Array;
  const segments: number[] = [];
  for (let row = 0; row < ids.length / T; row++) {
    for (let start = 0, t = 1; t <= T; t++) {
      if (t < T && ids[row * T + t] === ids[row * T + start]) continue;
      segments.push(row, start, t);
      start = t;
    }
  }
  return segments;
}
