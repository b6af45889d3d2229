import type { DecoderConfig, HuggingFaceConfig } from "../config.ts";
import type { WeightTable } from "../weights.ts";
import type { Aliases, Fields } from "./fields.ts";

/** How one family of models writes down what a `DecoderConfig` says: its `config.json` and the names of its weights. */
export interface Family {
  /** `model_type` of its files. */
  readonly modelType: string;
  /** The class that `transformers` loads. */
  readonly architecture: string;
  readonly aliases: Aliases;
  read(fields: Fields): DecoderConfig;
  /** Fields under their common names; `aliases` are applied afterwards. */
  write(config: DecoderConfig, raw: HuggingFaceConfig): Record<string, unknown>;
  weights(config: DecoderConfig): WeightTable;
}

/** Names of activations in files. */
export const activations = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  gelu_fast: "geluTanh",
} as const;

/** The file's own name when it means the same. */
export function activationName({ activation }: DecoderConfig, before: unknown): string {
  if (typeof before === "string" && activations[before as keyof typeof activations] === activation) return before;
  return { silu: "silu", gelu: "gelu", geluTanh: "gelu_pytorch_tanh" }[activation];
}

/** Layers with a window, from `layer_types`; where the file is silent, from `byDefault`. */
export function readSlidingLayers(
  fields: Fields,
  numHiddenLayers: number,
  byDefault: (layer: number) => boolean,
): readonly boolean[] | null {
  const types = fields.value("layer_types");
  if (types === undefined || types === null) return simplified(Array.from({ length: numHiddenLayers }, (_, i) => byDefault(i)));
  const known = (type: unknown) => type === "sliding_attention" || type === "full_attention";
  if (!Array.isArray(types) || !types.every(known)) throw fields.error("layer_types", "a list of sliding_attention and full_attention");
  return simplified(types.map((type) => type === "sliding_attention"));
}

const simplified = (sliding: readonly boolean[]) => (sliding.every(Boolean) ? null : sliding);

export const writeLayerTypes = ({ slidingLayers, slidingWindow, numHiddenLayers }: DecoderConfig): string[] =>
  Array.from({ length: numHiddenLayers }, (_, i) =>
    slidingWindow !== null && (slidingLayers === null || slidingLayers[i] === true) ? "sliding_attention" : "full_attention",
  );
