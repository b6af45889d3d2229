/** The rotary embedding in `config.json`: `rope_theta` and `rope_scaling`, or `rope_parameters` in newer files. */
import { FieldError } from "../../errors.ts";
import type { DecoderConfig, HuggingFaceConfig } from "../config.ts";
import type { RopeScaling } from "../rope.ts";
import type { Fields } from "./fields.ts";

type Parameters = Readonly<Record<string, unknown>>;
type RopeConfig = Pick<DecoderConfig, "ropeTheta" | "ropeScaling" | "slidingRopeTheta" | "rotaryDim">;

/** `headDim` and `maxPositionEmbeddings` as read already; `theta` where the file is silent. */
export function readRope(fields: Fields, shape: { headDim: number; maxPositionEmbeddings: number }, theta = 10_000): RopeConfig {
  const given = (fields.value("rope_parameters") ?? fields.value("rope_scaling") ?? {}) as Parameters;
  // Newer files of models with local layers keep one set for each type of layer.
  const full = (given.full_attention ?? given) as Parameters;
  const sliding = given.sliding_attention as Parameters | undefined;
  if (sliding !== undefined && (sliding.rope_type ?? "default") !== "default")
    throw fields.error("rope_parameters", "unscaled angles in sliding_attention");
  const numberOr = (value: unknown, fallback: () => number) => (typeof value === "number" ? value : fallback());
  const share = numberOr(full.partial_rotary_factor, () => fields.number("partial_rotary_factor", 1));
  const ropeTheta = numberOr(full.rope_theta, () => fields.number("rope_theta", theta));
  return {
    rotaryDim: Math.floor(shape.headDim * share),
    ropeTheta,
    ropeScaling: readScaling(full, fields, shape.maxPositionEmbeddings),
    slidingRopeTheta: sliding === undefined ? null : numberOr(sliding.rope_theta, () => ropeTheta),
  };
}

function readScaling(rope: Parameters, { raw, at }: Fields, maxPositionEmbeddings: number): RopeScaling | null {
  const bad = (field: string, expected: string) =>
    new FieldError("MODEL_CONFIG", { at: `${at} rope_scaling.${field}`, expected, received: rope[field] ?? null });
  const number = (field: string, fallback?: number): number => {
    const value = rope[field] ?? fallback;
    if (typeof value !== "number" || !(value > 0)) throw bad(field, "a positive number");
    return value;
  };
  const numbers = (field: string): number[] => {
    const value = rope[field];
    if (!Array.isArray(value) || !value.every((one) => typeof one === "number" && one > 0)) throw bad(field, "a list of positive numbers");
    return value as number[];
  };
  const original = () =>
    number(
      "original_max_position_embeddings",
      typeof raw.original_max_position_embeddings === "number" ? raw.original_max_position_embeddings : maxPositionEmbeddings,
    );
  const type = String(rope.rope_type ?? rope.type ?? "default");
  switch (type) {
    case "default":
      return null;
    case "linear":
    case "dynamic":
      return { type, factor: number("factor") };
    case "llama3":
      return {
        type,
        factor: number("factor"),
        lowFreqFactor: number("low_freq_factor"),
        highFreqFactor: number("high_freq_factor"),
        originalMaxPositionEmbeddings: original(),
      };
    case "yarn": {
      const factor = number("factor", maxPositionEmbeddings / original());
      const magnitude = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
      const { mscale, mscale_all_dim: mscaleAllDim } = rope;
      const inferred = mscale && mscaleAllDim ? magnitude(number("mscale")) / magnitude(number("mscale_all_dim")) : magnitude(1);
      return {
        type,
        factor,
        betaFast: number("beta_fast", 32),
        betaSlow: number("beta_slow", 1),
        truncate: rope.truncate !== false,
        attentionFactor: number("attention_factor", inferred),
        originalMaxPositionEmbeddings: original(),
      };
    }
    case "su": // the first name of longrope
    case "longrope": {
      const factor = number("factor", maxPositionEmbeddings / original());
      return {
        type: "longrope",
        shortFactor: numbers("short_factor"),
        longFactor: numbers("long_factor"),
        attentionFactor: number("attention_factor", factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original()))),
        originalMaxPositionEmbeddings: original(),
      };
    }
    default:
      throw bad("rope_type", "default, linear, dynamic, llama3, yarn or longrope");
  }
}

function writeScaling(scaling: RopeScaling | null): Record<string, unknown> {
  switch (scaling?.type) {
    case undefined:
      return { rope_type: "default" };
    case "linear":
    case "dynamic":
      return { rope_type: scaling.type, factor: scaling.factor };
    case "llama3":
      return {
        rope_type: "llama3",
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
      };
    case "yarn":
      return {
        rope_type: "yarn",
        factor: scaling.factor,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        truncate: scaling.truncate,
        attention_factor: scaling.attentionFactor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
      };
    case "longrope":
      return {
        rope_type: "longrope",
        short_factor: scaling.shortFactor,
        long_factor: scaling.longFactor,
        attention_factor: scaling.attentionFactor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
      };
  }
}

/** In the style of the file that was read; the older one for fresh files, which every version understands. */
export function writeRope(config: DecoderConfig, raw: HuggingFaceConfig): Record<string, unknown> {
  const { ropeTheta, ropeScaling, slidingRopeTheta, rotaryDim, headDim } = config;
  const scaling = writeScaling(ropeScaling);
  // Keys that we do not know survive as long as the type of scaling is the same.
  const onTop = (old: unknown) => {
    const before = (old ?? {}) as Parameters;
    const { type: _, ...rest } = before;
    return (before.rope_type ?? before.type ?? "default") === scaling.rope_type ? { ...rest, ...scaling } : scaling;
  };
  const partial = rotaryDim === headDim ? {} : { partial_rotary_factor: rotaryDim / headDim };
  if (raw.rope_parameters === undefined || raw.rope_parameters === null)
    return {
      rope_theta: ropeTheta,
      ...partial,
      ...(ropeScaling !== null
        ? { rope_scaling: onTop(raw.rope_scaling) }
        : (raw.rope_scaling ?? null) === null
          ? {}
          : { rope_scaling: null }),
    };
  const old = raw.rope_parameters as Parameters;
  if (old.full_attention === undefined) return { rope_parameters: { ...onTop(old), rope_theta: ropeTheta, ...partial } };
  return {
    rope_parameters: {
      ...old,
      full_attention: { ...onTop(old.full_attention), rope_theta: ropeTheta, ...partial },
      sliding_attention: { ...(old.sliding_attention as object), rope_theta: slidingRopeTheta ?? ropeTheta },
    },
  };
}
