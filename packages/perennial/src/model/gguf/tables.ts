/** Names and layout of weights in GGUF files: gguf-py/gguf/constants.py and conversion/ of https://github.com/ggml-org/llama.cpp. */
// H heads · E headDim
import type { Tensor } from "@perennial/torch";
import type { DecoderConfig } from "../config.ts";
import { inLayers, stacked, type WeightLayout, type WeightRow, type WeightTable, weightTable, withBias } from "../weights.ts";

/**
 * Rows of queries or keys in the order in which llama.cpp rotates them for Llama: it turns neighbors together, we turn
 * the halves of a head. Row (head, half, i) of ours is row (head, i, half) of theirs.
 */
function neighbors(numHeads: number): WeightLayout {
  const swapped = (tensor: Tensor, inner: readonly [number, number]) =>
    tensor
      .reshape([numHeads, ...inner, ...tensor.shape.slice(1)])
      .transpose(1, 2)
      .reshape([...tensor.shape]);
  const half = (tensor: Tensor) => tensor.size(0) / numHeads / 2;
  return {
    split: (theirs) => [swapped(theirs, [half(theirs), 2])],
    join: ([ours]) => swapped(ours!, [2, half(ours!)]),
  };
}

/** The factor of a norm itself, where we keep the factor minus one. Both in single precision. */
const factor: WeightLayout = {
  split: (theirs) => [theirs.float().sub(1)],
  join: ([ours]) => ours!.float().add(1),
};

const qkv = ["attention.qProj", "attention.kProj", "attention.vProj"];

const around = (norm: WeightRow[], layer: readonly WeightRow[], rest: readonly WeightRow[] = []) =>
  weightTable([
    ["token_embd.weight", "embedTokens.weight"],
    ...rest,
    ...inLayers("blk", layer),
    ...norm,
    ["output.weight", "lmHead.weight"],
  ]);
const rmsNorm: WeightRow[] = [["output_norm.weight", "norm.weight"]];

const separate = ({ numAttentionHeads: H, numKeyValueHeads: K }: DecoderConfig, permuted: boolean): WeightRow[] => [
  ...withBias("attn_q", "attention.qProj", ...(permuted ? [neighbors(H)] : [])),
  ...withBias("attn_k", "attention.kProj", ...(permuted ? [neighbors(K)] : [])),
  ...withBias("attn_v", "attention.vProj"),
  ...withBias("attn_output", "attention.oProj"),
];
const gatedMlp = [...withBias("ffn_gate", "mlp.gateProj"), ...withBias("ffn_up", "mlp.upProj"), ...withBias("ffn_down", "mlp.downProj")];
const queryKeyNorms: WeightRow[] = [
  ["attn_q_norm.weight", "attention.qNorm.weight"],
  ["attn_k_norm.weight", "attention.kNorm.weight"],
];
const preNorms: WeightRow[] = [
  ["attn_norm.weight", "inputNorm.weight"],
  ["ffn_norm.weight", "postAttentionNorm.weight"],
];
const withFactors = (rows: readonly WeightRow[]): WeightRow[] => rows.map(([theirs, ours]) => [theirs, ours, factor]);

export const llamaTable = (config: DecoderConfig): WeightTable => around(rmsNorm, [...separate(config, true), ...gatedMlp, ...preNorms]);

export const qwenTable = (config: DecoderConfig): WeightTable =>
  around(rmsNorm, [...separate(config, false), ...queryKeyNorms, ...gatedMlp, ...preNorms]);

export const olmoTable = (config: DecoderConfig): WeightTable =>
  around(rmsNorm, [
    ...separate(config, false),
    ...queryKeyNorms,
    ...gatedMlp,
    ["post_attention_norm.weight", "postAttentionNorm.weight"],
    ["post_ffw_norm.weight", "postMlpNorm.weight"],
  ]);

export const gemmaTable = (config: DecoderConfig): WeightTable =>
  around(withFactors(rmsNorm), [
    ...separate(config, false),
    ...gatedMlp,
    ...withFactors([
      ...queryKeyNorms,
      ["attn_norm.weight", "inputNorm.weight"],
      ["post_attention_norm.weight", "postAttentionNorm.weight"],
      ["ffn_norm.weight", "preMlpNorm.weight"],
      ["post_ffw_norm.weight", "postMlpNorm.weight"],
    ]),
  ]);

export const phiTable = (): WeightTable =>
  around(rmsNorm, [
    ["attn_qkv.weight", qkv.map((name) => `${name}.weight`), stacked],
    ["attn_output.weight", "attention.oProj.weight"],
    ["ffn_up.weight", ["mlp.gateProj.weight", "mlp.upProj.weight"], stacked],
    ["ffn_down.weight", "mlp.downProj.weight"],
    ...preNorms,
  ]);

const fusedLayer = [
  ...withBias("attn_qkv", qkv, stacked),
  ...withBias("attn_output", "attention.oProj"),
  ...withBias("ffn_up", "mlp.upProj"),
  ...withBias("ffn_down", "mlp.downProj"),
];
const layerNorm = withBias("output_norm", "norm");

/** GPT-2, Bloom, GPT-NeoX. */
export const gptTable = ({ layout }: DecoderConfig): WeightTable =>
  around(
    layerNorm,
    [
      ...withBias("attn_norm", "inputNorm"),
      ...fusedLayer,
      ...withBias("ffn_norm", layout === "parallel" ? "mlpNorm" : "postAttentionNorm"),
    ],
    [["position_embd.weight", "embedPositions.weight"], ...withBias("token_embd_norm", "embedNorm")],
  );

export const falconTable = ({ layout }: DecoderConfig): WeightTable =>
  around(layerNorm, [
    ...(layout === "parallel"
      ? [...withBias("attn_norm_2", "inputNorm"), ...withBias("attn_norm", "mlpNorm")]
      : withBias("attn_norm", "inputNorm")),
    ...fusedLayer,
  ]);
