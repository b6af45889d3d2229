/** Llama, and the families that differ from it by a few fields: Mistral, Yi, Qwen 2 and 3, OLMo 2 and 3, Phi-3. */
import type { DecoderConfig, HuggingFaceConfig } from "../config.ts";
import { inLayers, same, stacked, type WeightRow, weightTable, withBias } from "../weights.ts";
import { activationName, activations, type Family, readSlidingLayers, writeLayerTypes } from "./family.ts";
import type { Fields } from "./fields.ts";
import { readRope, writeRope } from "./rope-fields.ts";

/** Fields as Llama calls them. */
export function readLlama(fields: Fields, theta?: number): DecoderConfig {
  const hiddenSize = fields.number("hidden_size");
  const numAttentionHeads = fields.number("num_attention_heads");
  const headDim = fields.number("head_dim", hiddenSize / numAttentionHeads);
  const maxPositionEmbeddings = fields.number("max_position_embeddings", 2048);
  const eos = fields.value("eos_token_id");
  const attentionBias = fields.flag("attention_bias", false);
  return {
    modelType: String(fields.raw.model_type),
    vocabSize: fields.number("vocab_size"),
    hiddenSize,
    intermediateSize: fields.number("intermediate_size"),
    numHiddenLayers: fields.number("num_hidden_layers"),
    numAttentionHeads,
    numKeyValueHeads: fields.number("num_key_value_heads", numAttentionHeads),
    headDim,
    maxPositionEmbeddings,
    tieWordEmbeddings: fields.flag("tie_word_embeddings", false),
    layout: "pre",
    norm: "rms",
    rmsNormEps: fields.number("rms_norm_eps", 1e-6),
    normOffset: 0,
    queryKeyNorm: null,
    mlp: "gated",
    activation: fields.choice("hidden_act", activations, "silu"),
    position: "rotary",
    ...readRope(fields, { headDim, maxPositionEmbeddings }, theta),
    alibi: null,
    attentionScale: null,
    attentionSoftcap: null,
    logitSoftcap: null,
    embeddingScale: 1,
    embeddingNorm: false,
    attentionBias,
    attentionOutBias: attentionBias,
    mlpBias: fields.flag("mlp_bias", false),
    slidingWindow: fields.optionalNumber("sliding_window"),
    slidingLayers: null,
    initializerRange: fields.number("initializer_range", 0.02),
    bosTokenId: fields.optionalNumber("bos_token_id"),
    eosTokenIds: typeof eos === "number" ? [eos] : Array.isArray(eos) ? (eos as number[]) : [],
    padTokenId: fields.optionalNumber("pad_token_id"),
  };
}

export function writeLlama(config: DecoderConfig, raw: HuggingFaceConfig): Record<string, unknown> {
  return {
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    ...(config.headDim === config.hiddenSize / config.numAttentionHeads && raw.head_dim === undefined ? {} : { head_dim: config.headDim }),
    max_position_embeddings: config.maxPositionEmbeddings,
    hidden_act: activationName(config, raw.hidden_act ?? raw.hidden_activation),
    rms_norm_eps: config.rmsNormEps,
    ...writeRope(config, raw),
  };
}

export const projections = [
  ...withBias("self_attn.q_proj", "attention.qProj"),
  ...withBias("self_attn.k_proj", "attention.kProj"),
  ...withBias("self_attn.v_proj", "attention.vProj"),
  ...withBias("self_attn.o_proj", "attention.oProj"),
  ...withBias("mlp.gate_proj", "mlp.gateProj"),
  ...withBias("mlp.up_proj", "mlp.upProj"),
  ...withBias("mlp.down_proj", "mlp.downProj"),
];
export const queryKeyNorms: WeightRow[] = [
  ["self_attn.q_norm.weight", "attention.qNorm.weight"],
  ["self_attn.k_norm.weight", "attention.kNorm.weight"],
];
export const preNorms: WeightRow[] = [
  ["input_layernorm.weight", "inputNorm.weight"],
  ["post_attention_layernorm.weight", "postAttentionNorm.weight"],
];
/** The names around the layers, which all of them share. */
export const llamaTableOf = (layer: readonly WeightRow[]) =>
  weightTable([
    ["model.embed_tokens.weight", "embedTokens.weight"],
    ...inLayers("model.layers", layer),
    ["model.norm.weight", "norm.weight"],
    ["lm_head.weight", "lmHead.weight"],
  ]);

const llamaTable = llamaTableOf([...projections, ...preNorms]);

/** One name at a time, for files of Llama's own layout alone; other names are an error. `weightsOf` knows every family. */
export const llamaWeights = { toTheirs: (name: string): string => llamaTable.byOurs(name).theirs };

const qwen3Table = llamaTableOf([...projections, ...queryKeyNorms, ...preNorms]);
const olmoTable = llamaTableOf([
  ...projections,
  ...queryKeyNorms,
  ["post_attention_layernorm.weight", "postAttentionNorm.weight"],
  ["post_feedforward_layernorm.weight", "postMlpNorm.weight"],
]);
const phi3Table = llamaTableOf([
  ["self_attn.qkv_proj.weight", ["attention.qProj.weight", "attention.kProj.weight", "attention.vProj.weight"], stacked],
  ["self_attn.o_proj.weight", "attention.oProj.weight", same],
  ["mlp.gate_up_proj.weight", ["mlp.gateProj.weight", "mlp.upProj.weight"], stacked],
  ["mlp.down_proj.weight", "mlp.downProj.weight", same],
  ...preNorms,
]);

/** Llama with attention or MLP biases; also what Yi and Mistral are. */
function llamaLike(modelType: string, architecture: string): Family {
  return {
    modelType,
    architecture,
    aliases: {},
    read: readLlama,
    write: (config, raw) => ({
      ...writeLlama(config, raw),
      attention_bias: config.attentionBias,
      mlp_bias: config.mlpBias,
      ...(config.slidingWindow === null && raw.sliding_window === undefined ? {} : { sliding_window: config.slidingWindow }),
    }),
    weights: () => llamaTable,
  };
}

/** A window in the upper layers, when `use_sliding_window` says so. */
function readQwen(fields: Fields): DecoderConfig {
  const config = readLlama(fields);
  const lowest = fields.number("max_window_layers", 28);
  const slidingWindow = fields.flag("use_sliding_window", false) ? config.slidingWindow : null;
  return { ...config, slidingWindow, slidingLayers: readSlidingLayers(fields, config.numHiddenLayers, (i) => i >= lowest) };
}

const writeQwen = (config: DecoderConfig, raw: HuggingFaceConfig) => ({
  ...writeLlama(config, raw),
  ...(config.slidingWindow === null
    ? { use_sliding_window: false }
    : { use_sliding_window: true, sliding_window: config.slidingWindow, layer_types: writeLayerTypes(config) }),
});

const qwen2: Family = {
  modelType: "qwen2",
  architecture: "Qwen2ForCausalLM",
  aliases: {},
  read: (fields) => ({ ...readQwen(fields), attentionBias: true, attentionOutBias: false }),
  write: writeQwen,
  weights: () => llamaTable,
};

const qwen3: Family = {
  modelType: "qwen3",
  architecture: "Qwen3ForCausalLM",
  aliases: {},
  read: (fields) => ({ ...readQwen(fields), queryKeyNorm: "head" }),
  write: (config, raw) => ({ ...writeQwen(config, raw), head_dim: config.headDim, attention_bias: config.attentionBias }),
  weights: () => qwen3Table,
};

function readOlmo(fields: Fields): DecoderConfig {
  const config = readLlama(fields, 500_000);
  return { ...config, layout: "post", queryKeyNorm: "full", rmsNormEps: fields.number("rms_norm_eps", 1e-5) };
}

const olmo2: Family = {
  modelType: "olmo2",
  architecture: "Olmo2ForCausalLM",
  aliases: {},
  read: readOlmo,
  write: (config, raw) => ({ ...writeLlama(config, raw), attention_bias: config.attentionBias }),
  weights: () => olmoTable,
};

const olmo3: Family = {
  modelType: "olmo3",
  architecture: "Olmo3ForCausalLM",
  aliases: {},
  read: (fields) => {
    const config = readOlmo(fields);
    return {
      ...config,
      slidingWindow: fields.number("sliding_window", 4096),
      slidingLayers: readSlidingLayers(fields, config.numHiddenLayers, (i) => (i + 1) % 4 !== 0),
      // Scaling is for the global layers alone.
      slidingRopeTheta: config.slidingRopeTheta ?? config.ropeTheta,
    };
  },
  write: (config, raw) => ({
    ...olmo2.write(config, raw),
    sliding_window: config.slidingWindow,
    layer_types: writeLayerTypes(config),
  }),
  weights: () => olmoTable,
};

const phi3: Family = {
  modelType: "phi3",
  architecture: "Phi3ForCausalLM",
  aliases: {},
  read: (fields) => ({ ...readLlama(fields), rmsNormEps: fields.number("rms_norm_eps", 1e-5) }),
  write: (config, raw) => ({
    ...writeLlama(config, raw),
    sliding_window: config.slidingWindow,
    ...(config.ropeScaling?.type === "longrope"
      ? { original_max_position_embeddings: config.ropeScaling.originalMaxPositionEmbeddings }
      : {}),
  }),
  weights: () => phi3Table,
};

export const llamaFamilies: readonly Family[] = [
  llamaLike("llama", "LlamaForCausalLM"),
  llamaLike("yi", "LlamaForCausalLM"),
  llamaLike("mistral", "MistralForCausalLM"),
  qwen2,
  qwen3,
  olmo2,
  olmo3,
  phi3,
];
