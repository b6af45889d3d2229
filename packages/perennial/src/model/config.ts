import { FieldError } from "../errors.ts";
import type { RopeScaling } from "./rope.ts";

/** Where the norms of a layer stand; A attention, M multilayer perceptron, n₁ … n₄ norms. */
export type LayerLayout =
  /** h = x + A(n₁x); h + M(n₂h) (Llama, GPT-2). */
  | "pre"
  /** h = x + n₁(A x); h + n₂(M h) (OLMo 2). */
  | "post"
  /** h = x + n₂(A(n₁x)); h + n₄(M(n₃h)) (Gemma 2). */
  | "sandwich"
  /** x + A(n₁x) + M(n₂x) (GPT-NeoX, Falcon 40B). */
  | "parallel"
  /** x + A(n₁x) + M(n₁x) (Falcon 7B). */
  | "parallelShared";

/** Linear biases of attention (Press et al., arXiv 2108.12409): slope(head) · position(key) · scale is added to the scores. */
export interface Alibi {
  readonly scale: number;
  /** The precision in which the family's reference rounds the slopes and their products. */
  readonly dtype: "float32" | "bfloat16";
}

/** The shape of a decoder. What `config.json` has as well is called by the same name, there in snake_case. */
export interface DecoderConfig {
  /** Hugging Face's name of the family, e.g. `llama`, `gemma2`. Names files' fields and weights; behavior follows from the other fields. */
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
  readonly layout: LayerLayout;
  /** Root mean square, or LayerNorm with mean and bias. */
  readonly norm: "rms" | "layer";
  /** Added under the root in either norm. */
  readonly rmsNormEps: number;
  /** Added to the weight of every RMS norm (Gemma stores w − 1). */
  readonly normOffset: 0 | 1;
  /** RMS norms of queries and keys before the rotation: over each head (Qwen 3), over all heads together (OLMo 2), or none. */
  readonly queryKeyNorm: "head" | "full" | null;
  /** down(act(gate x) · up x), or down(act(up x)). */
  readonly mlp: "gated" | "plain";
  readonly activation: "silu" | "gelu" | "geluTanh";
  readonly position: "rotary" | "learned" | "alibi";
  /** Leading dimensions of a head that are rotated; even. */
  readonly rotaryDim: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  /** Base of the angles in layers with a window, which are never stretched; null = as in the other layers. */
  readonly slidingRopeTheta: number | null;
  /** Null unless `position` is `alibi`. */
  readonly alibi: Alibi | null;
  /** Multiplies the scores; null = 1/√headDim. */
  readonly attentionScale: number | null;
  /** Scores s become c · tanh(s / c); null = as they are. */
  readonly attentionSoftcap: number | null;
  /** The same for the logits. */
  readonly logitSoftcap: number | null;
  /** Multiplies the embedded tokens. */
  readonly embeddingScale: number;
  /** A norm after the embedding (Bloom). */
  readonly embeddingNorm: boolean;
  /** Biases on the q, k and v projections (Qwen 2). */
  readonly attentionBias: boolean;
  /** Bias on the output projection as well (Llama with `attention_bias`). */
  readonly attentionOutBias: boolean;
  readonly mlpBias: boolean;
  /** Each position of a layer with a window sees at most this many positions, itself included; null = all before it. */
  readonly slidingWindow: number | null;
  /** By layer, whether it has the window; null = every layer has it. */
  readonly slidingLayers: readonly boolean[] | null;
  readonly initializerRange: number;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
}

/** `config.json` as parsed; keys that we do not know are kept for the way back. */
export type HuggingFaceConfig = Readonly<Record<string, unknown>>;

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
    layout: "pre",
    norm: "rms",
    rmsNormEps: 1e-5,
    normOffset: 0,
    queryKeyNorm: null,
    mlp: "gated",
    activation: "silu",
    position: "rotary",
    rotaryDim: fresh.headDim ?? fresh.hiddenSize / fresh.numAttentionHeads,
    ropeTheta: 10_000,
    ropeScaling: null,
    slidingRopeTheta: null,
    alibi: null,
    attentionScale: null,
    attentionSoftcap: null,
    logitSoftcap: null,
    embeddingScale: 1,
    embeddingNorm: false,
    attentionBias: false,
    attentionOutBias: false,
    mlpBias: false,
    slidingWindow: null,
    slidingLayers: null,
    initializerRange: 0.02,
    bosTokenId: null,
    eosTokenIds: [],
    padTokenId: null,
    ...(Object.fromEntries(Object.entries(fresh).filter(([, value]) => value !== undefined)) as Partial<DecoderConfig>),
  } as DecoderConfig;
  checkConfig(config, "model");
  return config;
}

/** Refuses a shape that makes no sense; `at` names its origin. */
export function checkConfig(config: DecoderConfig, at: string): void {
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
  if (config.position === "rotary" && !(config.rotaryDim % 2 === 0 && config.rotaryDim >= 2 && config.rotaryDim <= config.headDim))
    throw new FieldError("MODEL_CONFIG", {
      at: `${at}.rotaryDim`,
      expected: `an even number up to headDim (${config.headDim}), for the rotary embedding`,
      received: config.rotaryDim,
    });
  if (config.slidingLayers !== null && config.slidingLayers.length !== config.numHiddenLayers)
    throw new FieldError("MODEL_CONFIG", {
      at: `${at}.slidingLayers`,
      expected: `an entry for each of ${config.numHiddenLayers} layers`,
      received: config.slidingLayers,
    });
}

/** Positions that a layer sees at most, itself included; null = all before it. */
export function windowOf({ slidingWindow, slidingLayers }: DecoderConfig, layer: number): number | null {
  return slidingLayers === null || slidingLayers[layer] === true ? slidingWindow : null;
}
