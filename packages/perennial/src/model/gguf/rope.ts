/** The rotary embedding in the metadata, and in the small tensors, of a GGUF file. */
import { type GgufHeader, type Keys, readFloats, type WrittenMetadata, type WrittenValue } from "../../gguf/index.ts";
import type { DecoderConfig } from "../config.ts";
import { type Rope, type RopeScaling, ropeFrequencies } from "../rope.ts";

export const LLAMA3_FACTORS = "rope_freqs.weight";
export const LONG_FACTORS = "rope_factors_long.weight";
export const SHORT_FACTORS = "rope_factors_short.weight";

type RopeConfig = Pick<DecoderConfig, "ropeTheta" | "ropeScaling" | "rotaryDim" | "maxPositionEmbeddings">;

/** Yarn's own magnitude, which llama.cpp applies by itself: 0.1 · ln(factor) + 1. */
const yarnMagnitude = (factor: number) => (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1);

export function readRope(header: GgufHeader, keys: Keys, arch: string, headDim: number): RopeConfig {
  const key = (name: string) => `${arch}.rope.${name}`;
  const rope = {
    rotaryDim: keys.number(key("dimension_count"), headDim),
    ropeTheta: keys.number(key("freq_base"), 10_000),
    maxPositionEmbeddings: keys.number(`${arch}.context_length`),
  };
  return { ...rope, ropeScaling: readScaling(header, keys, arch, rope) };
}

function readScaling(header: GgufHeader, keys: Keys, arch: string, rope: Omit<RopeConfig, "ropeScaling">): RopeScaling | null {
  const key = (name: string) => `${arch}.rope.scaling.${name}`;
  const original = keys.number(key("original_context_length"), rope.maxPositionEmbeddings);
  const tensor = (name: string) => {
    const info = header.tensors.get(name);
    return info === undefined ? undefined : [...readFloats(header, info)];
  };
  const [long, short] = [tensor(LONG_FACTORS), tensor(SHORT_FACTORS)];
  if (long !== undefined && short !== undefined)
    return {
      type: "longrope",
      shortFactor: short,
      longFactor: long,
      attentionFactor: keys.number(key("attn_factor"), 1),
      originalMaxPositionEmbeddings: original,
    };
  const factors = tensor(LLAMA3_FACTORS);
  if (factors !== undefined) return scalingOf(factors, rope);
  const factor = keys.number(key("factor"), keys.number(`${arch}.rope.scale_linear`, 1));
  const type = keys.string(key("type"), "linear");
  if (type === "none" || (type === "linear" && (factor === 1 || factor === 0))) return null;
  if (type === "linear") return { type, factor };
  if (type !== "yarn") throw keys.wrong(key("type"), "none, linear, yarn or longrope");
  return {
    type,
    factor,
    betaFast: keys.number(key("yarn_beta_fast"), 32),
    betaSlow: keys.number(key("yarn_beta_slow"), 1),
    truncate: true,
    attentionFactor: keys.number(key("attn_factor"), 1) * yarnMagnitude(factor),
    originalMaxPositionEmbeddings: original,
  };
}

/**
 * Llama 3's scaling from its divisors of the frequencies, which are all that a file holds of it: its published numbers (1, 4,
 * 8192) where they give these divisors, else the divisors themselves, which is what longrope does.
 */
function scalingOf(factors: readonly number[], rope: Omit<RopeConfig, "ropeScaling">): RopeScaling | null {
  if (factors.every((factor) => factor === 1)) return null;
  const llama3: RopeScaling = {
    type: "llama3",
    factor: Math.max(...factors),
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositionEmbeddings: 8192,
  };
  const published = frequencyDivisors({ ...rope, ropeScaling: llama3 });
  if (published.length === factors.length && published.every((value, i) => Math.abs(value / factors[i]! - 1) < 1e-5)) return llama3;
  return {
    type: "longrope",
    shortFactor: factors,
    longFactor: factors,
    attentionFactor: 1,
    originalMaxPositionEmbeddings: rope.maxPositionEmbeddings,
  };
}

/** Unscaled over scaled frequencies. */
function frequencyDivisors(rope: Rope): Float32Array {
  const scaled = ropeFrequencies(rope);
  return Float32Array.from(ropeFrequencies({ ...rope, ropeScaling: null }), (frequency, i) => frequency / scaled[i]!);
}

/** Entries, and small tensors, for the angles of the global layers. */
export function writeRope(config: DecoderConfig, arch: string): { entries: WrittenMetadata; tensors: ReadonlyMap<string, Float32Array> } {
  const key = (name: string) => `${arch}.rope.${name}`;
  const entries = new Map<string, WrittenValue>([
    [key("dimension_count"), config.rotaryDim],
    [key("freq_base"), { float32: config.ropeTheta }],
  ]);
  const tensors = new Map<string, Float32Array>();
  const { ropeScaling: scaling } = config;
  switch (scaling?.type) {
    case "linear":
      entries.set(key("scaling.type"), "linear").set(key("scaling.factor"), { float32: scaling.factor });
      break;
    case "yarn": {
      entries
        .set(key("scaling.type"), "yarn")
        .set(key("scaling.factor"), { float32: scaling.factor })
        .set(key("scaling.original_context_length"), scaling.originalMaxPositionEmbeddings);
      const extra = scaling.attentionFactor / yarnMagnitude(scaling.factor);
      if (Math.fround(extra) !== 1) entries.set(key("scaling.attn_factor"), { float32: extra });
      break;
    }
    case "longrope":
      entries
        .set(key("scaling.type"), "longrope")
        .set(key("scaling.original_context_length"), scaling.originalMaxPositionEmbeddings)
        .set(key("scaling.attn_factor"), { float32: scaling.attentionFactor });
      tensors.set(LONG_FACTORS, Float32Array.from(scaling.longFactor)).set(SHORT_FACTORS, Float32Array.from(scaling.shortFactor));
      break;
    case "llama3":
      tensors.set(LLAMA3_FACTORS, frequencyDivisors(config));
  }
  return { entries, tensors };
}
