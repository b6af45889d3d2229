import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FieldError } from "../errors.ts";

/** How the angles of the rotary embedding are stretched beyond the length that the model was trained on. */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    };

/** The shape of a decoder of the Llama family. Field by field what `config.json` calls by the same names in snake_case. */
export interface DecoderConfig {
  /** Hugging Face's name of the family, e.g. `llama`, `mistral`, `qwen2`. Written back; behavior follows from the other fields. */
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly maxPositionEmbeddings: number;
  readonly tieWordEmbeddings: boolean;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  /** Biases on the q, k and v projections (Qwen 2). */
  readonly attentionBias: boolean;
  /** Bias on the output projection as well (Llama with `attention_bias`). */
  readonly attentionOutBias: boolean;
  readonly mlpBias: boolean;
  /** Each position sees at most this many positions, itself included; null = all before it. */
  readonly slidingWindow: number | null;
  readonly initializerRange: number;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
}

/** A fresh model's shape: what must be said; the rest follows. */
export type FreshConfig = { [Field in keyof DecoderConfig]?: DecoderConfig[Field] | undefined } & Pick<
  DecoderConfig,
  "vocabSize" | "hiddenSize" | "numHiddenLayers" | "numAttentionHeads"
>;

/** Llama's defaults for everything that is not given. `intermediateSize` follows Llama's 8/3 · hiddenSize, in multiples of 8. */
export function decoderConfig(fresh: FreshConfig): DecoderConfig {
  const config: DecoderConfig = {
    modelType: "llama",
    intermediateSize: Math.ceil((8 * fresh.hiddenSize) / 3 / 8) * 8,
    numKeyValueHeads: fresh.numAttentionHeads,
    headDim: fresh.hiddenSize / fresh.numAttentionHeads,
    maxPositionEmbeddings: 2048,
    tieWordEmbeddings: true,
    rmsNormEps: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: null,
    attentionBias: false,
    attentionOutBias: false,
    mlpBias: false,
    slidingWindow: null,
    initializerRange: 0.02,
    bosTokenId: null,
    eosTokenIds: [],
    padTokenId: null,
    ...(Object.fromEntries(Object.entries(fresh).filter(([, value]) => value !== undefined)) as Partial<DecoderConfig>),
  } as DecoderConfig;
  check(config, "model");
  return config;
}

function check(config: DecoderConfig, at: string): void {
  const positive = [
    "vocabSize",
    "hiddenSize",
    "intermediateSize",
    "numHiddenLayers",
    "numAttentionHeads",
    "numKeyValueHeads",
    "headDim",
    "maxPositionEmbeddings",
  ] as const;
  for (const field of positive) {
    if (!Number.isSafeInteger(config[field]) || config[field] < 1)
      throw new FieldError("MODEL_CONFIG", { at: `${at}.${field}`, expected: "a positive integer", received: config[field] });
  }
  if (config.numAttentionHeads % config.numKeyValueHeads !== 0)
    throw new FieldError("MODEL_CONFIG", {
      at: `${at}.numKeyValueHeads`,
      expected: `a divisor of numAttentionHeads (${config.numAttentionHeads})`,
      received: config.numKeyValueHeads,
    });
  if (config.headDim % 2 !== 0)
    throw new FieldError("MODEL_CONFIG", {
      at: `${at}.headDim`,
      expected: "an even number, for the rotary embedding",
      received: config.headDim,
    });
}

/** The model types whose architecture this decoder computes exactly. */
const supported = new Set(["llama", "mistral", "qwen2", "yi"]);

/** `config.json` as parsed; keys that we do not know are kept for the way back. */
export type HuggingFaceConfig = Readonly<Record<string, unknown>>;

/** Reads `config.json` of a model folder. Errors: no such file, another architecture, fields that make no sense. */
export function readConfig(folder: string): { config: DecoderConfig; raw: HuggingFaceConfig } {
  const path = join(folder, "config.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new FieldError(
      "MODEL_CONFIG_MISSING",
      { at: path, expected: "a Hugging Face model folder with a config.json", todo: "check the path of the model" },
      { cause: error },
    );
  }
  let raw: HuggingFaceConfig;
  try {
    raw = JSON.parse(text) as HuggingFaceConfig;
  } catch (error) {
    throw new FieldError("MODEL_CONFIG", { at: path, expected: "JSON", received: (error as Error).message }, { cause: error });
  }
  return { config: fromHuggingFace(raw, path), raw };
}

/** Translates `config.json`. `at` names the file in errors. */
export function fromHuggingFace(raw: HuggingFaceConfig, at = "config.json"): DecoderConfig {
  const modelType = String(raw.model_type ?? "");
  if (!supported.has(modelType))
    throw new FieldError("MODEL_TYPE", {
      at: `${at} model_type`,
      expected: `one of ${[...supported].join(", ")}`,
      received: raw.model_type ?? null,
      todo: "convert the model, or use one of these families",
    });
  const number = (field: string, fallback?: number): number => {
    const value = raw[field] ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new FieldError("MODEL_CONFIG", { at: `${at} ${field}`, expected: "a number", received: raw[field] ?? null });
    return value;
  };
  const flag = (field: string, fallback: boolean): boolean => {
    const value = raw[field] ?? fallback;
    if (typeof value !== "boolean")
      throw new FieldError("MODEL_CONFIG", { at: `${at} ${field}`, expected: "true or false", received: value });
    return value;
  };
  if (raw.hidden_act !== undefined && raw.hidden_act !== "silu")
    throw new FieldError("MODEL_CONFIG", { at: `${at} hidden_act`, expected: "silu", received: raw.hidden_act });
  // Newer files keep everything about the rotary embedding in rope_parameters.
  const rope = (raw.rope_parameters ?? raw.rope_scaling ?? null) as Record<string, unknown> | null;
  const hiddenSize = number("hidden_size");
  const numAttentionHeads = number("num_attention_heads");
  const isQwen = modelType === "qwen2";
  const useSlidingWindow = isQwen ? flag("use_sliding_window", false) : true;
  const eos = raw.eos_token_id;
  const config: DecoderConfig = {
    modelType,
    vocabSize: number("vocab_size"),
    hiddenSize,
    intermediateSize: number("intermediate_size"),
    numHiddenLayers: number("num_hidden_layers"),
    numAttentionHeads,
    numKeyValueHeads: number("num_key_value_heads", numAttentionHeads),
    headDim: number("head_dim", hiddenSize / numAttentionHeads),
    maxPositionEmbeddings: number("max_position_embeddings", 2048),
    tieWordEmbeddings: flag("tie_word_embeddings", false),
    rmsNormEps: number("rms_norm_eps", 1e-6),
    ropeTheta: typeof rope?.rope_theta === "number" ? rope.rope_theta : number("rope_theta", 10_000),
    ropeScaling: ropeScaling(rope, at),
    attentionBias: isQwen ? true : flag("attention_bias", false),
    attentionOutBias: isQwen ? false : flag("attention_bias", false),
    mlpBias: flag("mlp_bias", false),
    slidingWindow: useSlidingWindow && typeof raw.sliding_window === "number" ? raw.sliding_window : null,
    initializerRange: number("initializer_range", 0.02),
    bosTokenId: typeof raw.bos_token_id === "number" ? raw.bos_token_id : null,
    eosTokenIds: typeof eos === "number" ? [eos] : Array.isArray(eos) ? (eos as number[]) : [],
    padTokenId: typeof raw.pad_token_id === "number" ? raw.pad_token_id : null,
  };
  check(config, at);
  return config;
}

function ropeScaling(rope: Record<string, unknown> | null, at: string): RopeScaling | null {
  const type = rope?.rope_type ?? rope?.type ?? "default";
  if (rope === null || type === "default") return null;
  const number = (field: string) => {
    const value = rope[field];
    if (typeof value !== "number" || value <= 0)
      throw new FieldError("MODEL_CONFIG", { at: `${at} rope_scaling.${field}`, expected: "a positive number", received: value ?? null });
    return value;
  };
  if (type === "linear") return { type, factor: number("factor") };
  if (type === "llama3")
    return {
      type,
      factor: number("factor"),
      lowFreqFactor: number("low_freq_factor"),
      highFreqFactor: number("high_freq_factor"),
      originalMaxPositionEmbeddings: number("original_max_position_embeddings"),
    };
  throw new FieldError("MODEL_CONFIG", { at: `${at} rope_scaling.rope_type`, expected: "default, linear or llama3", received: type });
}

/** `config.json` for a model: what was there before, with everything that we know on top. */
export function toHuggingFace(config: DecoderConfig, raw: HuggingFaceConfig = {}, torchDtype = "float32"): HuggingFaceConfig {
  const architecture =
    ({ llama: "Llama", mistral: "Mistral", qwen2: "Qwen2", yi: "Llama" } as Record<string, string>)[config.modelType] ?? "Llama";
  const scaling = config.ropeScaling;
  const fresh = Object.keys(raw).length === 0;
  return {
    ...(fresh ? { architectures: [`${architecture}ForCausalLM`], hidden_act: "silu", use_cache: true } : {}),
    ...raw,
    model_type: config.modelType,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    ...(config.headDim === config.hiddenSize / config.numAttentionHeads && raw.head_dim === undefined ? {} : { head_dim: config.headDim }),
    max_position_embeddings: config.maxPositionEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
    rms_norm_eps: config.rmsNormEps,
    ...(raw.rope_parameters === undefined ? { rope_theta: config.ropeTheta } : {}),
    ...(fresh && scaling !== null
      ? {
          rope_scaling:
            scaling.type === "linear"
              ? { rope_type: "linear", factor: scaling.factor }
              : {
                  rope_type: "llama3",
                  factor: scaling.factor,
                  low_freq_factor: scaling.lowFreqFactor,
                  high_freq_factor: scaling.highFreqFactor,
                  original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
                },
        }
      : {}),
    ...(config.modelType === "qwen2" ? {} : { attention_bias: config.attentionBias, mlp_bias: config.mlpBias }),
    initializer_range: config.initializerRange,
    ...(config.bosTokenId === null ? {} : { bos_token_id: config.bosTokenId }),
    ...(config.eosTokenIds.length === 0
      ? {}
      : { eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : config.eosTokenIds }),
    ...(config.padTokenId === null ? {} : { pad_token_id: config.padTokenId }),
    [raw.dtype === undefined ? "torch_dtype" : "dtype"]: torchDtype,
  };
}
