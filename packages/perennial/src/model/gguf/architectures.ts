/**
 * How the shape of a decoder stands in the metadata of a GGUF file, one entry for each `general.architecture`, and what llama.cpp
 * computes of it: src/models/ of https://github.com/ggml-org/llama.cpp has more behavior by name, and less by value, than we have.
 */
import type { GgufHeader, Keys, WrittenMetadata, WrittenValue } from "../../gguf/index.ts";
import { type DecoderConfig, decoderConfig, type FreshConfig } from "../config.ts";
import type { WeightTable } from "../weights.ts";
import { readRope } from "./rope.ts";
import { falconTable, gemmaTable, gptTable, llamaTable, olmoTable, phiTable, qwenTable } from "./tables.ts";

/** What a field of the configuration must be for llama.cpp to compute the same. */
export type Demands = Partial<{ [Field in keyof DecoderConfig]: readonly DecoderConfig[Field][] }>;

export interface Architecture {
  readonly name: string;
  readonly modelTypes: readonly string[];
  weights(config: DecoderConfig): WeightTable;
  /** On top of the common fields. */
  read(source: Source, common: FreshConfig): FreshConfig;
  /** On top of the common entries. */
  write?(config: DecoderConfig): Iterable<readonly [key: string, value: WrittenValue]>;
  demands(config: DecoderConfig): Demands;
  /** llama.cpp attends within the window, where there is one. */
  readonly hasWindow?: boolean;
  /** Whether there must be an `output.weight`, also where it is the embedding. */
  readonly needsOutput?: boolean;
}

/** A file, as the entries below ask it. */
export class Source {
  readonly header: GgufHeader;
  readonly keys: Keys;
  private readonly arch: string;

  constructor(header: GgufHeader, keys: Keys, arch: string) {
    this.header = header;
    this.keys = keys;
    this.arch = arch;
  }

  has(tensor: string): boolean {
    return this.header.tensors.has(tensor);
  }

  /** A key of the architecture. */
  key(name: string): string {
    return `${this.arch}.${name}`;
  }

  number(name: string, fallback?: number): number {
    return this.keys.number(this.key(name), fallback);
  }

  /** Each has tensors of its own: a damaged number is found out before anything is made for so many. */
  layers(): number {
    const count = this.number("block_count");
    if (!(Number.isInteger(count) && count >= 1 && count <= this.header.tensors.size))
      throw this.keys.wrong(this.key("block_count"), `a number of layers for ${this.header.tensors.size} tensors`);
    return count;
  }

  /** Window and the layers that have it; `period`: where the file is silent, every layer but each period-th. */
  window(period: number, fallback = 0): Pick<FreshConfig, "slidingWindow" | "slidingLayers"> {
    const slidingWindow = this.number("attention.sliding_window", fallback);
    if (slidingWindow === 0) return {};
    const count = this.layers();
    const pattern = this.keys.value(this.key("attention.sliding_window_pattern")) ?? period;
    const layers =
      typeof pattern === "number"
        ? Array.from({ length: count }, (_, i) => pattern === 0 || i % pattern < pattern - 1)
        : (pattern as readonly boolean[]);
    if (!Array.isArray(layers) || layers.length !== count || !layers.every((layer) => typeof layer === "boolean"))
      throw this.keys.wrong(this.key("attention.sliding_window_pattern"), `true or false for each of ${count} layers`);
    return { slidingWindow, slidingLayers: layers.every(Boolean) ? null : layers };
  }
}

/** Fields that every architecture has. */
export function readCommon(source: Source): FreshConfig {
  const { header, keys } = source;
  const hiddenSize = source.number("embedding_length");
  const numAttentionHeads = source.number("attention.head_count");
  const headDim = source.number("attention.key_length", hiddenSize / numAttentionHeads);
  const ids = ["eos", "eot", "eom"].map((role) => keys.optionalNumber(`tokenizer.ggml.${role}_token_id`));
  const embedding = header.tensors.get("token_embd.weight")?.shape;
  return {
    vocabSize: embedding?.[0] ?? source.number("vocab_size"),
    hiddenSize,
    intermediateSize: source.number("feed_forward_length"),
    numHiddenLayers: source.layers(),
    numAttentionHeads,
    numKeyValueHeads: source.number("attention.head_count_kv", numAttentionHeads),
    headDim,
    tieWordEmbeddings: !source.has("output.weight"),
    ...readRope(header, keys, source.key("").slice(0, -1), headDim),
    attentionBias: source.has("blk.0.attn_q.bias") || source.has("blk.0.attn_qkv.bias"),
    attentionOutBias: source.has("blk.0.attn_output.bias"),
    mlpBias: source.has("blk.0.ffn_up.bias"),
    bosTokenId: keys.optionalNumber("tokenizer.ggml.bos_token_id") ?? null,
    eosTokenIds: [...new Set(ids.filter((id) => id !== undefined))],
    padTokenId: keys.optionalNumber("tokenizer.ggml.padding_token_id") ?? null,
  };
}

const rms = (source: Source) => ({ norm: "rms", rmsNormEps: source.number("attention.layer_norm_rms_epsilon") }) as const;
const layerNorm = (source: Source) => ({ norm: "layer", mlp: "plain", rmsNormEps: source.number("attention.layer_norm_epsilon") }) as const;

const gated: Demands = { activation: ["silu"] };
const gelu: Demands = { activation: ["gelu", "geluTanh"] };
/** Heads of the size that the hidden size gives. */
const plainHeads = ({ hiddenSize, numAttentionHeads }: DecoderConfig): Demands => ({ headDim: [hiddenSize / numAttentionHeads] });

const llama: Architecture = {
  name: "llama",
  modelTypes: ["llama", "mistral", "yi"],
  weights: llamaTable,
  read: (source, common) => {
    const window = source.window(0);
    return { ...common, ...rms(source), ...window, modelType: window.slidingWindow === undefined ? "llama" : "mistral" };
  },
  write: (config) => (config.slidingWindow === null ? [] : [["attention.sliding_window", config.slidingWindow]]),
  demands: ({ headDim }) => ({ ...gated, rotaryDim: [headDim] }),
};

const qwen = (name: "qwen2" | "qwen3"): Architecture => ({
  name,
  modelTypes: [name],
  weights: qwenTable,
  read: (source, common) => ({
    ...common,
    ...rms(source),
    ...source.window(0),
    modelType: name,
    ...(name === "qwen3" ? { queryKeyNorm: "head" } : {}),
  }),
  write: writeWindow,
  demands: (config) => ({ ...gated, rotaryDim: [config.headDim], ...(name === "qwen2" ? plainHeads(config) : {}) }),
});

function* writeWindow({ slidingWindow, slidingLayers }: DecoderConfig): Iterable<readonly [string, WrittenValue]> {
  if (slidingWindow === null) return;
  yield ["attention.sliding_window", slidingWindow];
  if (slidingLayers !== null) yield ["attention.sliding_window_pattern", slidingLayers];
}

const olmo: Architecture = {
  name: "olmo2",
  modelTypes: ["olmo2", "olmo3"],
  hasWindow: true,
  needsOutput: true,
  weights: olmoTable,
  read: (source, common) => {
    const window = source.window(4);
    const local = window.slidingWindow !== undefined;
    return {
      ...common,
      ...rms(source),
      ...window,
      modelType: local ? "olmo3" : "olmo2",
      layout: "post",
      queryKeyNorm: "full",
      slidingRopeTheta: local ? source.number("rope.freq_base_swa", common.ropeTheta) : null,
    };
  },
  *write(config) {
    yield* writeWindow(config);
    if (config.slidingRopeTheta !== null) yield ["rope.freq_base_swa", { float32: config.slidingRopeTheta }];
  },
  demands: (config) => ({ ...gated, ...plainHeads(config), rotaryDim: [config.headDim], attentionBias: [false] }),
};

type Heads = Pick<DecoderConfig, "numHiddenLayers" | "hiddenSize" | "numAttentionHeads" | "headDim">;
/** llama.cpp knows the largest models by their number of layers: their scores are scaled by the hidden size. */
const gemmaScale = ({ numHiddenLayers, hiddenSize, numAttentionHeads, headDim }: Heads, largest: number): number =>
  (numHiddenLayers === largest ? hiddenSize / numAttentionHeads : headDim) ** -0.5;

const gemma = (name: "gemma2" | "gemma3", { largest, period }: { largest: number; period: number }): Architecture => ({
  name,
  modelTypes: [name === "gemma2" ? "gemma2" : "gemma3_text"],
  hasWindow: true,
  weights: gemmaTable,
  read: (source, common) => ({
    ...common,
    ...rms(source),
    ...source.window(period, name === "gemma2" ? 4096 : 0),
    modelType: name === "gemma2" ? "gemma2" : "gemma3_text",
    layout: "sandwich",
    normOffset: 1,
    activation: "geluTanh",
    attentionScale: gemmaScale(common as FreshConfig & Heads, largest),
    embeddingScale: Math.sqrt(common.hiddenSize),
    ...(name === "gemma2"
      ? {
          attentionSoftcap: source.number("attn_logit_softcapping", 50),
          logitSoftcap: source.number("final_logit_softcapping", 30),
        }
      : {
          queryKeyNorm: "head",
          slidingRopeTheta: source.number("rope.freq_base_swa", 10_000),
          logitSoftcap: source.number("final_logit_softcapping", 0) || null,
        }),
  }),
  *write(config) {
    yield* writeWindow(config);
    if (config.slidingRopeTheta !== null) yield ["rope.freq_base_swa", { float32: config.slidingRopeTheta }];
    if (config.attentionSoftcap !== null) yield ["attn_logit_softcapping", { float32: config.attentionSoftcap }];
    if (config.logitSoftcap !== null) yield ["final_logit_softcapping", { float32: config.logitSoftcap }];
  },
  demands: (config) => ({
    activation: ["geluTanh"],
    rotaryDim: [config.headDim],
    attentionScale: [gemmaScale(config, largest)],
    embeddingScale: [Math.sqrt(config.hiddenSize)],
    attentionBias: [false],
    ...(name === "gemma2" ? { tieWordEmbeddings: [true] } : { attentionSoftcap: [null] }),
  }),
});

const phi: Architecture = {
  name: "phi3",
  modelTypes: ["phi3"],
  weights: phiTable,
  read: (source, common) => ({ ...common, ...rms(source), ...source.window(0), modelType: "phi3" }),
  // Zero tells Phi-4, which has no window, from the others.
  write: ({ slidingWindow }) => [["attention.sliding_window", slidingWindow ?? 0]],
  demands: (config) => ({ ...gated, ...plainHeads(config) }),
};

const gpt2: Architecture = {
  name: "gpt2",
  modelTypes: ["gpt2"],
  weights: gptTable,
  read: (source, common) => ({ ...common, ...layerNorm(source), modelType: "gpt2", position: "learned", activation: "geluTanh" }),
  demands: () => gelu,
};

const gptNeoX: Architecture = {
  name: "gptneox",
  modelTypes: ["gpt_neox"],
  needsOutput: true,
  weights: gptTable,
  read: (source, common) => ({
    ...common,
    ...layerNorm(source),
    modelType: "gpt_neox",
    activation: "gelu",
    layout: source.keys.flag(source.key("use_parallel_residual"), true) ? "parallel" : "pre",
  }),
  write: ({ layout }) => [["use_parallel_residual", layout === "parallel"]],
  demands: () => ({ ...gelu, attentionBias: [true] }),
};

const falcon: Architecture = {
  name: "falcon",
  modelTypes: ["falcon"],
  weights: falconTable,
  read: (source, common) => ({
    ...common,
    ...layerNorm(source),
    modelType: "falcon",
    activation: "gelu",
    layout: source.has("blk.0.attn_norm_2.weight") ? "parallel" : "parallelShared",
  }),
  write: () => [["tensor_data_layout", "jploski"]],
  demands: (config) => ({
    ...gelu,
    rotaryDim: [config.headDim],
    attentionBias: [false],
    mlpBias: [false],
    position: ["rotary"],
    layout: ["parallel", "parallelShared"],
  }),
};

const bloom: Architecture = {
  name: "bloom",
  modelTypes: ["bloom"],
  weights: gptTable,
  read: (source, common) => ({
    ...common,
    ...layerNorm(source),
    modelType: "bloom",
    activation: "geluTanh",
    position: "alibi",
    alibi: { scale: 1, dtype: "float32" },
    embeddingNorm: true,
  }),
  demands: () => gelu,
};

export const architectures: readonly Architecture[] = [
  llama,
  qwen("qwen2"),
  qwen("qwen3"),
  olmo,
  gemma("gemma2", { largest: 46, period: 2 }),
  gemma("gemma3", { largest: 62, period: 6 }),
  phi,
  gpt2,
  gptNeoX,
  falcon,
  bloom,
];

/** Entries that every architecture has, under their names without the architecture's. */
export function writeCommon(config: DecoderConfig): WrittenMetadata {
  return new Map<string, WrittenValue>([
    ["vocab_size", config.vocabSize],
    ["context_length", config.maxPositionEmbeddings],
    ["embedding_length", config.hiddenSize],
    ["block_count", config.numHiddenLayers],
    ["feed_forward_length", config.intermediateSize],
    ["attention.head_count", config.numAttentionHeads],
    ["attention.head_count_kv", config.numKeyValueHeads],
    ["attention.key_length", config.headDim],
    ["attention.value_length", config.headDim],
    [`attention.layer_norm_${config.norm === "rms" ? "rms_" : ""}epsilon`, { float32: config.rmsNormEps }],
  ]);
}

/** The configuration that a file describes. */
export const readArchitecture = (architecture: Architecture, source: Source): DecoderConfig =>
  decoderConfig(architecture.read(source, readCommon(source)));
