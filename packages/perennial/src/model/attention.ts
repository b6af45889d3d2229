// B batch · T new positions · S all positions, cached ones included · D hiddenSize
// H numAttentionHeads · K numKeyValueHeads · E headDim · R rotaryDim
import { fused, nn, type Tensor, torch } from "@perennial/torch";
import type { DecoderConfig } from "./config.ts";
import type { LayerCache } from "./key-value-cache.ts";
import { makeNorm, type Norm } from "./norms.ts";

/** Which positions a position may attend to, and the rotary angles: the same for every layer of a kind. */
export interface Positions {
  /** [B|1,T,R]; null = no rotation. */
  readonly cos: Tensor | null;
  readonly sin: Tensor | null;
  /** (row, start, end) of every document in packed rows; null = one document a row, or a mask says more. */
  readonly segments: readonly number[] | null;
  /** [B|1,1,T,S] true = may attend; or [B|1,H,T,S] numbers to add to the scores; null = plain causal. */
  readonly mask: Tensor | null;
}

type Rotate = (x: Tensor, positions: Positions) => Tensor;
type Mix = (q: Tensor, k: Tensor, v: Tensor, positions: Positions) => Tensor;

export class Attention extends nn.Module {
  readonly qProj: nn.Linear;
  readonly kProj: nn.Linear;
  readonly vProj: nn.Linear;
  readonly oProj: nn.Linear;
  readonly qNorm: Norm | null;
  readonly kNorm: Norm | null;
  private readonly numHeads: number;
  private readonly numKeyValueHeads: number;
  private readonly headDim: number;
  private readonly queries: (x: Tensor, count: number, norm: Norm | null) => Tensor;
  private readonly rotate: Rotate;
  private readonly mix: Mix;

  constructor(config: DecoderConfig) {
    super();
    const { hiddenSize: D, numAttentionHeads: H, numKeyValueHeads: K, headDim: E, attentionBias, attentionOutBias, queryKeyNorm } = config;
    this.qProj = new nn.Linear(D, H * E, { bias: attentionBias });
    this.kProj = new nn.Linear(D, K * E, { bias: attentionBias });
    this.vProj = new nn.Linear(D, K * E, { bias: attentionBias });
    this.oProj = new nn.Linear(H * E, D, { bias: attentionOutBias });
    this.qNorm = queryKeyNorm === null ? null : makeNorm(config, queryKeyNorm === "head" ? E : H * E);
    this.kNorm = queryKeyNorm === null ? null : makeNorm(config, queryKeyNorm === "head" ? E : K * E);
    [this.numHeads, this.numKeyValueHeads, this.headDim] = [H, K, E];
    const split = (flat: Tensor, count: number) => flat.view([flat.size(0), flat.size(1), count, E]); // [B,T,·E] → [B,T,·,E]
    this.queries = {
      none: split,
      head: (flat: Tensor, count: number, norm: Norm | null) => norm!.forward(split(flat, count)),
      full: (flat: Tensor, count: number, norm: Norm | null) => split(norm!.forward(flat), count),
    }[queryKeyNorm ?? "none"];
    this.rotate = rotation(config);
    this.mix = mixing(config);
  }

  /** [B,T,D] → [B,T,D]. */
  forward(x: Tensor, positions: Positions, cache?: LayerCache): Tensor {
    const [B, T] = x.shape as [number, number];
    const [queries, keys, values] = nn.forwardAll([this.qProj, this.kProj, this.vProj], x);
    const q = this.rotate(this.queries(queries!, this.numHeads, this.qNorm), positions).transpose(1, 2); // [B,H,T,E]
    let k = this.rotate(this.queries(keys!, this.numKeyValueHeads, this.kNorm), positions).transpose(1, 2); // [B,K,T,E]
    let v = values!.view([B, T, this.numKeyValueHeads, this.headDim]).transpose(1, 2);
    if (cache !== undefined) [k, v] = cache.append(k, v);
    const mixed = this.mix(q, k, v, positions); // [B,H,T,E]
    return this.oProj.forward(mixed.transpose(1, 2).reshape([B, T, this.numHeads * this.headDim]));
  }
}

/** Turns queries and keys [B,T,·,E] by their positions' angles. */
function rotation({ position, rotaryDim: R, headDim: E }: DecoderConfig): Rotate {
  if (position !== "rotary") return (x) => x;
  if (R === E) return (x, { cos, sin }) => fused.rope(x, cos!, sin!);
  return (x, { cos, sin }) => torch.cat([fused.rope(x.slice(-1, 0, R), cos!, sin!), x.slice(-1, R)], -1);
}

/** softmax(q kᵀ · scale, masked) v: q [B,H,T,E], k and v [B,K,S,E] → [B,H,T,E]. */
function mixing({ numAttentionHeads: H, numKeyValueHeads: K, headDim: E, attentionScale, attentionSoftcap: cap }: DecoderConfig): Mix {
  const scale = attentionScale ?? E ** -0.5;
  // Each key-value head beside the others of its group of queries: [B,K,S,E] → [B,H,S,E].
  const repeat = (heads: Tensor) => (H === K ? heads : heads.repeatInterleave(H / K, 1));
  if (cap !== null)
    return (q, k, v, { mask }) => {
      const scores = q.matmul(repeat(k).transpose(2, 3)).mul(scale / cap);
      const capped = scores.tanh().mul(cap);
      const masked = mask === null ? capped : capped.maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY);
      return masked.softmax(-1).matmul(repeat(v));
    };
  return (q, k, v, { mask, segments }) => {
    const causal = mask === null && q.size(2) > 1;
    if (segments === null && !(causal && isFused(q))) return nn.scaledDotProductAttention(q, k, v, { causal, mask, scale: attentionScale });
    return fused.documentAttention(q, k, v, segments ?? wholeRows(q), scale);
  };
}

/** The kernel's dtypes and device. */
const isFused = ({ dtype, device }: Tensor) => device === "cpu" && (dtype === "float32" || dtype === "bfloat16");

/** Every row as one document. q [B,H,T,E] */
const wholeRows = (q: Tensor) => Array.from({ length: q.size(0) }, (_, row) => [row, 0, q.size(2)]).flat();
