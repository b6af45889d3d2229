/** Llama, and the families that differ from it by a few fields: Mistral, Yi, Qwen 2 and 3, OLMo 2 and 3, Phi-3, Gemma 2 and 3. */
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

function writeLlama(config: DecoderConfig, raw: HuggingFaceConfig): Record<string, unknown> {
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

const projections = [
  ...withBias("self_attn.q_proj", "attention.qProj"),
  ...withBias("self_attn.k_proj", "attention.kProj"),
  ...withBias("self_attn.v_proj", "attention.vProj"),
  ...withBias("self_attn.o_proj", "attention.oProj"),
  ...withBias("mlp.gate_proj", "mlp.gateProj"),
  ...withBias("mlp.up_proj", "mlp.upProj"),
  ...withBias("mlp.down_proj", "mlp.downProj"),
];
const queryKeyNorms: WeightRow[] = [
  ["self_attn.q_norm.weight", "attention.qNorm.weight"],
  ["self_attn.k_norm.weight", "attention.kNorm.weight"],
];
const preNorms: WeightRow[] = [
  ["input_layernorm.weight", "inputNorm.weight"],
  ["post_attention_layernorm.weight", "postAttentionNorm.weight"],
];
const table = (layer: readonly WeightRow[]) =>
  weightTable([
    ["model.embed_tokens.weight", "embedTokens.weight"],
    ...inLayers("model.layers", layer),
    ["model.norm.weight", "norm.weight"],
    ["lm_head.weight", "lmHead.weight"],
  ]);

const llamaTable = table([...projections, ...preNorms]);

/** One name at a time, for files of Llama's own layout alone; other names are an error. `weightsOf` knows every family. */
export const llamaWeights = { toTheirs: (name: string): string => llamaTable.byOurs(name).theirs };

const qwen3Table = table([...projections, ...queryKeyNorms, ...preNorms]);
const olmoTable = table([
  ...projections,
  ...queryKeyNorms,
  ["post_attention_layernorm.weight", "postAttentionNorm.weight"],
  ["post_feedforward_layernorm.weight", "postMlpNorm.weight"],
]);
const gemmaTable = table([
  ...projections,
  ...queryKeyNorms,
  ...preNorms,
  ["pre_feedforward_layernorm.weight", "preMlpNorm.weight"],
  ["post_feedforward_layernorm.weight", "postMlpNorm.weight"],
]);
const phi3Table = table([
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

/** Gemma calls the activation `hidden_activation`, and ties its embeddings unless told otherwise. */
function readGemma(fields: Fields, theta: number): DecoderConfig {
  fields.require("use_bidirectional_attention", false);
  return {
    ...readLlama(fields, theta),
    headDim: fields.number("head_dim", 256),
    tieWordEmbeddings: fields.flag("tie_word_embeddings", true),
    layout: "sandwich",
    normOffset: 1,
    activation: fields.choice("hidden_act", activations, "gelu_pytorch_tanh"),
    attentionScale: fields.number("query_pre_attn_scalar", 256) ** -0.5,
    embeddingScale: Math.sqrt(fields.number("hidden_size")),
    slidingWindow: fields.number("sliding_window", 4096),
  };
}

const writeGemma = (config: DecoderConfig, raw: HuggingFaceConfig) => ({
  ...writeLlama(config, raw),
  head_dim: config.headDim,
  attention_bias: config.attentionBias,
  // The inverse square of what was read, which rounding would change.
  query_pre_attn_scalar:
    raw.query_pre_attn_scalar ?? (config.attentionScale === null ? config.headDim : Math.round(config.attentionScale ** -2)),
  sliding_window: config.slidingWindow,
  layer_types: writeLayerTypes(config),
  final_logit_softcapping: config.logitSoftcap,
  attn_logit_softcapping: config.attentionSoftcap,
});

const gemma2: Family = {
  modelType: "gemma2",
  architecture: "Gemma2ForCausalLM",
  aliases: { hidden_act: "hidden_activation" },
  read: (fields) => {
    const config = readGemma(fields, 10_000);
    return {
      ...config,
      slidingLayers: readSlidingLayers(fields, config.numHiddenLayers, (i) => i % 2 === 0),
      attentionSoftcap: softcap(fields, "attn_logit_softcapping", 50),
      logitSoftcap: softcap(fields, "final_logit_softcapping", 30),
    };
  },
  write: writeGemma,
  weights: () => gemmaTable,
};

const gemma3: Family = {
  modelType: "gemma3_text",
  architecture: "Gemma3ForCausalLM",
  aliases: { hidden_act: "hidden_activation" },
  read: (fields) => {
    const config = readGemma(fields, 1_000_000);
    const pattern = fields.number("sliding_window_pattern", 6);
    return {
      ...config,
      queryKeyNorm: "head",
      slidingLayers: readSlidingLayers(fields, config.numHiddenLayers, (i) => (i + 1) % pattern !== 0),
      slidingRopeTheta: config.slidingRopeTheta ?? fields.number("rope_local_base_freq", 10_000),
      attentionSoftcap: softcap(fields, "attn_logit_softcapping", null),
      logitSoftcap: softcap(fields, "final_logit_softcapping", null),
    };
  },
  write: (config, raw) => ({
    ...writeGemma(config, raw),
    ...(raw.rope_parameters === undefined ? { rope_local_base_freq: config.slidingRopeTheta } : {}),
  }),
  weights: () => gemmaTable,
};

/** Null in a file means none; absent means the family's default. */
const softcap = (fields: Fields, name: string, byDefault: number | null): number | null =>
  fields.raw[name] === undefined ? byDefault : fields.optionalNumber(name);

export const llamaFamilies: readonly Family[] = [
  llamaLike("llama", "LlamaForCausalLM"),
  llamaLike("yi", "LlamaForCausalLM"),
  llamaLike("mistral", "MistralForCausalLM"),
  qwen2,
  qwen3,
  olmo2,
  olmo3,
  phi3,
  gemma2,
  gemma3,
];
