/** Gemma 2 and 3: norms around every part, capped scores, local and global layers. */
import type { DecoderConfig, HuggingFaceConfig } from "../config.ts";
import { activations, type Family, readSlidingLayers, writeLayerTypes } from "./family.ts";
import type { Fields } from "./fields.ts";
import { llamaTableOf, preNorms, projections, queryKeyNorms, readLlama, writeLlama } from "./llama.ts";

const gemmaTable = llamaTableOf([
  ...projections,
  ...queryKeyNorms,
  ...preNorms,
  ["pre_feedforward_layernorm.weight", "preMlpNorm.weight"],
  ["post_feedforward_layernorm.weight", "postMlpNorm.weight"],
]);
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

export const gemmaFamilies: readonly Family[] = [gemma2, gemma3];
