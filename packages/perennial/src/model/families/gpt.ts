/** Families after GPT-2, with LayerNorm and plain MLPs: GPT-2, GPT-NeoX (Pythia), Falcon, Bloom. */
import type { DecoderConfig, HuggingFaceConfig } from "../config.ts";
import { headGroups, inLayers, same, stacked, transposed, type WeightRow, weightTable, withBias } from "../weights.ts";
import { activationName, type Family } from "./family.ts";
import type { Fields } from "./fields.ts";
import { readLlama } from "./llama.ts";
import { writeRope } from "./rope-fields.ts";

/** What these families have in common, on top of the fields that Llama has as well. */
function readGpt(file: Fields): DecoderConfig {
  const fields = file.assuming({ hidden_act: file.value("hidden_act") ?? "gelu", intermediate_size: 4 * file.number("hidden_size") });
  return {
    ...readLlama(fields),
    numKeyValueHeads: fields.number("num_attention_heads"),
    tieWordEmbeddings: fields.flag("tie_word_embeddings", true),
    norm: "layer",
    rmsNormEps: fields.number("layer_norm_eps", 1e-5),
    mlp: "plain",
    mlpBias: fields.flag("mlp_bias", true),
    slidingWindow: null,
  };
}

const writeGpt = (config: DecoderConfig) => ({
  hidden_size: config.hiddenSize,
  num_hidden_layers: config.numHiddenLayers,
  num_attention_heads: config.numAttentionHeads,
  layer_norm_eps: config.rmsNormEps,
});

const qkv = ["attention.qProj", "attention.kProj", "attention.vProj"];

const gpt2: Family = {
  modelType: "gpt2",
  architecture: "GPT2LMHeadModel",
  aliases: {
    hidden_size: "n_embd",
    intermediate_size: "n_inner",
    num_hidden_layers: "n_layer",
    num_attention_heads: "n_head",
    max_position_embeddings: "n_positions",
    layer_norm_eps: "layer_norm_epsilon",
    hidden_act: "activation_function",
  },
  read: (fields) => {
    fields.require("scale_attn_weights", true);
    fields.require("scale_attn_by_inverse_layer_idx", false);
    fields.require("add_cross_attention", false);
    return { ...readGpt(fields.assuming({ hidden_act: "gelu_new", attention_bias: true })), position: "learned" };
  },
  write: (config, raw) => ({
    ...writeGpt(config),
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    hidden_act: activationName(config, raw.activation_function ?? "gelu_new"),
  }),
  weights: () =>
    weightTable(
      [
        ["transformer.wte.weight", "embedTokens.weight"],
        ["transformer.wpe.weight", "embedPositions.weight"],
        ...inLayers("transformer.h", [
          ...withBias("ln_1", "inputNorm"),
          ...transposedWeights("attn.c_attn", qkv),
          ...transposedWeights("attn.c_proj", "attention.oProj"),
          ...withBias("ln_2", "postAttentionNorm"),
          ...transposedWeights("mlp.c_fc", "mlp.upProj"),
          ...transposedWeights("mlp.c_proj", "mlp.downProj"),
        ]),
        ...withBias("transformer.ln_f", "norm"),
        ["lm_head.weight", "lmHead.weight"],
      ],
      "transformer.",
    ),
};

const transposedWeights = (theirs: string, ours: string | readonly string[]): WeightRow[] =>
  withBias(theirs, ours, transposed(typeof ours === "string" ? same : stacked));

/** Names below a layer that GPT-NeoX, Falcon and Bloom share. */
const fusedLayer = (config: DecoderConfig, attention: string): WeightRow[] => [
  ...withBias(`${attention}.query_key_value`, qkv, headGroups(config)),
  ...withBias(`${attention}.dense`, "attention.oProj"),
  ...withBias("mlp.dense_h_to_4h", "mlp.upProj"),
  ...withBias("mlp.dense_4h_to_h", "mlp.downProj"),
];

const gptNeoX: Family = {
  modelType: "gpt_neox",
  architecture: "GPTNeoXForCausalLM",
  aliases: { rope_theta: "rotary_emb_base", partial_rotary_factor: "rotary_pct" },
  read: (fields) => ({
    ...readGpt(fields.assuming({ partial_rotary_factor: 0.25, attention_bias: true, tie_word_embeddings: false })),
    layout: fields.flag("use_parallel_residual", true) ? "parallel" : "pre",
  }),
  write: (config, raw) => ({
    ...writeGpt(config),
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    hidden_act: activationName(config, raw.hidden_act),
    partial_rotary_factor: config.rotaryDim / config.headDim,
    ...writeRope(config, raw),
    attention_bias: config.attentionBias,
    use_parallel_residual: config.layout === "parallel",
  }),
  weights: (config) =>
    weightTable([
      ["gpt_neox.embed_in.weight", "embedTokens.weight"],
      ...inLayers("gpt_neox.layers", [
        ...withBias("input_layernorm", "inputNorm"),
        ...withBias("post_attention_layernorm", config.layout === "parallel" ? "mlpNorm" : "postAttentionNorm"),
        ...fusedLayer(config, "attention"),
      ]),
      ...withBias("gpt_neox.final_layer_norm", "norm"),
      ["embed_out.weight", "lmHead.weight"],
    ]),
};

const falcon: Family = {
  modelType: "falcon",
  architecture: "FalconForCausalLM",
  aliases: {
    attention_bias: "bias",
    mlp_bias: "bias",
    hidden_act: "activation",
    intermediate_size: "ffn_hidden_size",
    layer_norm_eps: "layer_norm_epsilon",
    num_key_value_heads: "num_kv_heads",
  },
  read: (file) => {
    const fields = file.assuming({ attention_bias: false, mlp_bias: false, hidden_size: file.raw.n_embed });
    const config = readGpt(fields);
    const isNew = fields.flag("new_decoder_architecture", false);
    const numNorms = fields.optionalNumber("num_ln_in_parallel_attn") ?? (isNew ? 2 : 1);
    return {
      ...config,
      numKeyValueHeads: isNew
        ? fields.number("num_key_value_heads", config.numAttentionHeads)
        : fields.flag("multi_query", true)
          ? 1
          : config.numAttentionHeads,
      layout: !isNew && !fields.flag("parallel_attn", true) ? "pre" : isNew && numNorms === 2 ? "parallel" : "parallelShared",
      ...(fields.flag("alibi", false) ? { position: "alibi", alibi: { scale: config.headDim ** -0.5, dtype: "bfloat16" } } : {}),
    };
  },
  write: (config, raw) => ({
    ...writeGpt(config),
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    hidden_act: activationName(config, raw.activation),
    ...falconShape(config, raw),
    alibi: config.position === "alibi",
    attention_bias: config.attentionBias,
    ...writeRope(config, raw),
  }),
  weights: (config) =>
    weightTable(
      [
        ["transformer.word_embeddings.weight", "embedTokens.weight"],
        ...inLayers("transformer.h", [
          ...withBias(config.layout === "parallel" ? "ln_attn" : "input_layernorm", "inputNorm"),
          ...(config.layout === "parallel" ? withBias("ln_mlp", "mlpNorm") : []),
          ...(config.layout === "pre" ? withBias("post_attention_layernorm", "postAttentionNorm") : []),
          ...fusedLayer(config, "self_attention"),
        ]),
        ...withBias("transformer.ln_f", "norm"),
        ["lm_head.weight", "lmHead.weight"],
      ],
      "transformer.",
    ),
};

/** Two norms, or groups of heads that are neither one nor all, exist in the newer architecture alone. */
function falconShape({ layout, numKeyValueHeads: K, numAttentionHeads: H }: DecoderConfig, raw: HuggingFaceConfig) {
  const isNew = raw.new_decoder_architecture === true || layout === "parallel" || (K !== 1 && K !== H);
  return {
    new_decoder_architecture: isNew,
    ...(isNew ? { num_key_value_heads: K, num_ln_in_parallel_attn: layout === "parallel" ? 2 : 1 } : { multi_query: K === 1 }),
    parallel_attn: layout !== "pre",
  };
}

const bloom: Family = {
  modelType: "bloom",
  architecture: "BloomForCausalLM",
  aliases: { num_hidden_layers: "n_layer", num_attention_heads: "n_head", layer_norm_eps: "layer_norm_epsilon" },
  read: (file) => {
    file.require("apply_residual_connection_post_layernorm", false);
    const fields = file.assuming({ hidden_size: file.raw.n_embed, hidden_act: "gelu_pytorch_tanh", attention_bias: true });
    return { ...readGpt(fields), position: "alibi", alibi: { scale: 1, dtype: "float32" }, embeddingNorm: true };
  },
  write: writeGpt,
  weights: (config) =>
    weightTable(
      [
        ["transformer.word_embeddings.weight", "embedTokens.weight"],
        ...withBias("transformer.word_embeddings_layernorm", "embedNorm"),
        ...inLayers("transformer.h", [
          ...withBias("input_layernorm", "inputNorm"),
          ...withBias("post_attention_layernorm", "postAttentionNorm"),
          ...fusedLayer(config, "self_attention"),
        ]),
        ...withBias("transformer.ln_f", "norm"),
        ["lm_head.weight", "lmHead.weight"],
      ],
      "transformer.",
    ),
};

export const gptFamilies: readonly Family[] = [gpt2, gptNeoX, falcon, bloom];
