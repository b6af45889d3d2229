// B batch · T new positions · S all positions, cached ones included · D hiddenSize · V vocabSize · H numAttentionHeads
import { checkpoint, type Device, fused, isGradEnabled, nn, noGrad, scope, type Tensor, tensor, torch } from "@perennial/torch";
import { FieldError } from "../errors.ts";
import { alibiSlopes } from "./alibi.ts";
import type { Positions } from "./attention.ts";
import { type DecoderConfig, windowOf } from "./config.ts";
import { sentTo } from "./device.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import { type DecoderLayer, makeLayer } from "./layers.ts";
import { makeNorm, type Norm } from "./norms.ts";
import { RopeCache } from "./rope.ts";

export interface DecoderInput {
  /** [B,T] token ids, int64. */
  readonly inputIds: Tensor;
  /** [B,T] positions, int64. Default: 0 … T − 1, after those in the cache. */
  readonly positionIds?: Tensor | undefined;
  /** [B,T] document numbers: attention stays inside a document. Default: one document a row. */
  readonly documentIds?: Tensor | undefined;
  /** [B,S] true = a real token, false = padding on the left. */
  readonly attentionMask?: Tensor | undefined;
  /**
   * [B,T] for several continuations of one text in a row: 0 = the text, k = the k-th continuation, which sees the text and itself.
   * Needs `positionIds`, as each continuation counts on from the text; what the cache holds belongs to the text.
   */
  readonly branches?: Tensor | undefined;
  readonly cache?: KeyValueCache | undefined;
  /** Recompute each layer in backward instead of keeping its activations. */
  readonly activationCheckpointing?: boolean | undefined;
}

/** Layers that see the same positions at the same angles. */
interface LayerKind {
  readonly window: number | null;
  readonly rope: RopeCache | null;
}

/** A decoder-only language model. What distinguishes the families stands in its configuration. */
export class Decoder extends nn.Module {
  readonly config: DecoderConfig;
  readonly embedTokens: nn.Embedding;
  /** Learned positions; null when positions are rotated in or added to the scores. */
  readonly embedPositions: nn.Embedding | null;
  readonly embedNorm: Norm | null;
  readonly layers: readonly DecoderLayer[];
  readonly norm: Norm;
  /** Null when the embedding is used for the output as well. */
  readonly lmHead: nn.Linear | null;
  private readonly kinds: readonly LayerKind[];
  private readonly kindOfLayer: readonly number[];

  /** Weights are drawn from N(0, initializerRange) by the default generator, biases are zero, norms neutral. */
  constructor(config: DecoderConfig) {
    super();
    const { hiddenSize: D, vocabSize: V } = config;
    this.config = config;
    this.embedTokens = new nn.Embedding(V, D);
    this.embedPositions = config.position === "learned" ? new nn.Embedding(config.maxPositionEmbeddings, D) : null;
    this.embedNorm = config.embeddingNorm ? makeNorm(config, D) : null;
    this.layers = Array.from({ length: config.numHiddenLayers }, () => makeLayer(config));
    this.norm = makeNorm(config, D);
    this.lmHead = config.tieWordEmbeddings ? null : new nn.Linear(D, V, { bias: false });
    for (const [, module] of this.namedModules()) {
      if (module instanceof nn.Linear || module instanceof nn.Embedding) nn.init.normal(module.weight, 0, config.initializerRange);
      if (module instanceof nn.Linear && module.bias !== null) nn.init.zeros(module.bias);
    }
    const windows = this.layers.map((_, i) => windowOf(config, i));
    const distinct = [...new Set(windows)];
    this.kinds = distinct.map((window) => ({ window, rope: config.position === "rotary" ? ropeOf(config, window !== null) : null }));
    this.kindOfLayer = windows.map((window) => distinct.indexOf(window));
  }

  /** The weight that turns hidden states into logits, [V,D]; `logitSoftcap` comes after it. */
  get outputWeight(): Tensor {
    return this.lmHead?.weight ?? this.embedTokens.weight;
  }

  /** Where the weights are. */
  get device(): Device {
    return this.embedTokens.weight.device;
  }

  /** Hidden states after the last norm: ids [B,T] → [B,T,D]. Inputs may come from the CPU. */
  hiddenStates(given: DecoderInput): Tensor {
    const input = placed(given, this.device);
    const { cache } = input;
    const positions = this.positionsOf(input, given.positionIds);
    let x = this.embedded(input);
    for (const [i, layer] of this.layers.entries()) {
      const step = (hidden: Tensor) => layer.forward(hidden, positions[this.kindOfLayer[i]!]!, cache?.layers[i]);
      // What a layer leaves behind for backward is held by the graph; the scope drops TypeScript's own hold on it.
      const before = x;
      x = input.activationCheckpointing === true && isGradEnabled() ? checkpoint(step, [before]) : scope(() => step(before));
    }
    cache?.advance(input.inputIds.size(1));
    return this.norm.forward(x);
  }

  /** ids [B,T] → logits [B,T,V]. */
  logits(input: DecoderInput): Tensor {
    return this.logitsOf(this.hiddenStates(input));
  }

  /** Hidden states [...,D] → logits [...,V]. */
  logitsOf(hidden: Tensor): Tensor {
    const logits = nn.linear(hidden, this.outputWeight, null);
    const cap = this.config.logitSoftcap;
    return cap === null ? logits : logits.div(cap).tanh().mul(cap);
  }

  /**
   * Cross-entropy of hidden states [N,D] with int64 labels [N] (−100 = ignored): Σ (loss + zLoss · log² Z) in nats, and
   * Σ loss without a graph. All logits are never held at once, except where `logitSoftcap` asks for them.
   */
  crossEntropySum(hidden: Tensor, given: Tensor, options: { zLoss?: number } = {}): [lossSum: Tensor, reported: Tensor] {
    const labels = sentTo(given, hidden.device);
    if (this.config.logitSoftcap === null) return fused.linearCrossEntropy(hidden, this.outputWeight, labels, options);
    const logits = this.logitsOf(hidden).float();
    const loss = nn.crossEntropy(logits, labels, { reduction: "sum" });
    const { zLoss = 0 } = options;
    if (zLoss === 0) return [loss, loss.detach()];
    const penalty = torch.logsumexp(logits, -1).square().mul(labels.ne(-100)).sum();
    return [loss.add(penalty.mul(zLoss)), loss.detach()];
  }

  private embedded({ inputIds, positionIds, cache }: DecoderInput): Tensor {
    let x = this.embedTokens.forward(inputIds);
    if (this.config.embeddingScale !== 1) x = x.mul(this.config.embeddingScale);
    if (this.embedPositions !== null) x = x.add(this.embedPositions.forward(positionIds ?? this.defaultPositions(inputIds, cache)));
    return this.embedNorm === null ? x : this.embedNorm.forward(x);
  }

  private defaultPositions(inputIds: Tensor, cache: KeyValueCache | undefined): Tensor {
    const T = inputIds.size(1);
    const past = cache?.length ?? 0;
    const limit = this.config.maxPositionEmbeddings;
    if (past + T > limit)
      throw new FieldError("MODEL_LENGTH", {
        at: "inputIds",
        expected: `at most ${limit} positions, since this model has learned no more`,
        received: past + T,
      });
    return torch.arange(past, past + T, { device: inputIds.device }).unsqueeze(0); // [1,T]
  }

  /** One for each kind of layer. */
  private positionsOf(input: DecoderInput, given: Tensor | undefined): Positions[] {
    return noGrad(() => scope(() => this.kinds.map((kind) => this.positionsOfKind(kind, input, given))));
  }

  private positionsOfKind({ window, rope }: LayerKind, input: DecoderInput, given: Tensor | undefined): Positions {
    const { inputIds, positionIds, documentIds, attentionMask, cache } = input;
    const T = inputIds.size(1);
    const past = cache?.length ?? 0;
    const inSegments =
      documentIds !== undefined &&
      attentionMask === undefined &&
      past === 0 &&
      window === null &&
      this.config.alibi === null &&
      this.config.attentionSoftcap === null &&
      isCpu(inputIds);
    // Read where the caller made them: on the CPU nothing waits.
    const longest = rope?.dependsOnLongest === true && given !== undefined ? Number(given.max().item()) + 1 : past + T;
    const table = rope?.get(past + T, longest, inputIds.device);
    const pick = (angles: Tensor) =>
      positionIds === undefined
        ? angles.slice(0, past, past + T).unsqueeze(0) // [1,T,R]
        : torch.embedding(angles, positionIds); // [B,T,R]
    return {
      cos: table === undefined ? null : pick(table.cos),
      sin: table === undefined ? null : pick(table.sin),
      segments: inSegments ? segmentsOf(documentIds) : null,
      mask: inSegments ? null : this.biased(this.mask(T, past, window, input), past + T, input),
    };
  }

  private mask(T: number, past: number, window: number | null, input: DecoderInput): Tensor | null {
    const { inputIds, documentIds, attentionMask, branches } = input;
    const { device } = inputIds;
    const S = past + T;
    const windowed = window !== null && window < S;
    const causalAlone = documentIds === undefined && attentionMask === undefined && branches === undefined && !windowed;
    // A kernel knows plain causal attention by itself, but not the compositions for biases and capped scores.
    const inKernel = past === 0 && this.config.alibi === null && this.config.attentionSoftcap === null;
    if (causalAlone && (inKernel || T === 1)) return null;
    const query = torch.arange(past, S, { device }).unsqueeze(1); // [T,1]
    const key = torch.arange(S, { device }).unsqueeze(0); // [1,S]
    let mask = key.le(query); // [T,S]
    if (windowed && branches === undefined) mask = mask.logicalAnd(query.sub(key).lt(window));
    mask = mask.view([1, 1, T, S]);
    if (branches !== undefined) {
      const keyBranches = withCached(branches, past, torch.zeros([1, past], { dtype: "int64", device })).view([-1, 1, 1, S]);
      mask = mask.logicalAnd(keyBranches.eq(0).logicalOr(keyBranches.eq(branches.view([-1, 1, T, 1]))));
      // Neighbors in the row are not neighbors in the text.
      const distance = input.positionIds!.view([-1, 1, T, 1]).sub(keyPositions(input, past).view([-1, 1, 1, S]));
      if (windowed) mask = mask.logicalAnd(distance.lt(window));
    }
    if (documentIds !== undefined) mask = mask.logicalAnd(documentIds.unsqueeze(1).unsqueeze(-1).eq(documentIds.unsqueeze(1).unsqueeze(2)));
    if (attentionMask !== undefined) {
      // A padded query sees itself, so that its softmax has something to sum over.
      const own = torch.eye(S, { dtype: "bool", device }).slice(0, past, S).view([1, 1, T, S]);
      mask = mask.logicalAnd(attentionMask.view([-1, 1, 1, S])).logicalOr(own);
    }
    return mask;
  }

  /** With the linear biases of the keys' positions, where the model has them: [B|1,1,T,S] → [B|1,H,T,S]. */
  private biased(mask: Tensor | null, S: number, input: DecoderInput): Tensor | null {
    const { positionIds, attentionMask, branches, cache } = input;
    const { alibi, numAttentionHeads: H } = this.config;
    if (alibi === null) return mask;
    const { device } = input.inputIds;
    let keys = torch.arange(S, { device }).unsqueeze(0); // [1,S]
    if (attentionMask !== undefined) keys = attentionMask.cumsum(-1).sub(1).clamp(0);
    else if (branches !== undefined) keys = keyPositions(input, cache?.length ?? 0);
    else if (positionIds !== undefined && cache === undefined) keys = positionIds;
    const slopes = tensor(alibiSlopes(H)).to({ dtype: alibi.dtype, device }).view([1, H, 1, 1]);
    const bias = slopes.mul(keys.unsqueeze(1).unsqueeze(1).to(alibi.dtype)).float().mul(alibi.scale);
    const masked = mask === null ? bias : bias.maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY);
    return masked.to(this.embedTokens.weight.dtype);
  }
}

const placed = (input: DecoderInput, device: Device): DecoderInput => ({
  ...input,
  inputIds: sentTo(input.inputIds, device),
  positionIds: input.positionIds && sentTo(input.positionIds, device),
  documentIds: input.documentIds && sentTo(input.documentIds, device),
  attentionMask: input.attentionMask && sentTo(input.attentionMask, device),
  branches: input.branches && sentTo(input.branches, device),
});

/** [B,T] after [1,past] of what the cache holds: [B,past + T]. */
const withCached = (fresh: Tensor, past: number, cached: Tensor): Tensor =>
  past === 0 ? fresh : torch.cat([cached.expand([fresh.size(0), past]), fresh], 1);

/** [B,S] positions of all keys. */
const keyPositions = ({ positionIds }: DecoderInput, past: number): Tensor =>
  withCached(positionIds!, past, torch.arange(past, { device: positionIds!.device }).unsqueeze(0));

/** The angles of layers with or without a window. */
const ropeOf = (config: DecoderConfig, windowed: boolean): RopeCache =>
  new RopeCache(
    windowed && config.slidingRopeTheta !== null ? { ...config, ropeTheta: config.slidingRopeTheta, ropeScaling: null } : config,
  );

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
