/** `config.json` in and out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FieldError } from "../errors.ts";
import { checkConfig, type DecoderConfig, type HuggingFaceConfig } from "./config.ts";
import { Fields, familyOf, renamed } from "./families/index.ts";

/** Reads `config.json` of a model folder. Errors: no such file, another architecture, fields that make no sense. */
export function readFolderConfig(folder: string): { config: DecoderConfig; raw: HuggingFaceConfig } {
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
  const family = familyOf(raw.model_type, at);
  const config = family.read(new Fields(raw, at, family.aliases));
  checkConfig(config, at);
  return config;
}

/** `config.json` for a model: what was there before, with everything that we know on top. */
export function toHuggingFace(config: DecoderConfig, raw: HuggingFaceConfig = {}, torchDtype = "float32"): HuggingFaceConfig {
  const family = familyOf(config.modelType);
  const { eosTokenIds } = config;
  return {
    ...(Object.keys(raw).length === 0 ? { architectures: [family.architecture], use_cache: true } : {}),
    ...raw,
    model_type: config.modelType,
    vocab_size: config.vocabSize,
    tie_word_embeddings: config.tieWordEmbeddings,
    ...renamed(family.write(config, raw), family.aliases, raw),
    initializer_range: config.initializerRange,
    ...(config.bosTokenId === null ? {} : { bos_token_id: config.bosTokenId }),
    ...(eosTokenIds.length === 0 ? {} : { eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds }),
    ...(config.padTokenId === null ? {} : { pad_token_id: config.padTokenId }),
    [raw.dtype === undefined ? "torch_dtype" : "dtype"]: torchDtype,
  };
}

/** Fields that stay written as floating point where their value is whole: Python's strict readers tell 30 from 30.0. */
const floating = [
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "initializer_range",
  "layer_norm_eps",
  "layer_norm_epsilon",
  "rms_norm_eps",
  "rope_theta",
  "rope_local_base_freq",
  "factor",
  "attention_factor",
  "low_freq_factor",
  "high_freq_factor",
  "beta_fast",
  "beta_slow",
  "partial_rotary_factor",
  "rotary_pct",
];
const wholeFloat = new RegExp(`^(\\s*"(?:${floating.join("|")})": -?\\d+)(,?)$`, "gm");

/** The text of `config.json`. */
export const formatConfig = (config: HuggingFaceConfig): string => `${JSON.stringify(config, null, 2).replace(wholeFloat, "$1.0$2")}\n`;
