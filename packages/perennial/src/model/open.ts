/** What a model lies in: a Hugging Face folder or a GGUF file. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openSafetensors, type SafetensorsReader } from "@perennial/torch";
import { FieldError, PerennialError } from "../errors.ts";
import { isGgufPath, readGgufHeader } from "../gguf/index.ts";
import type { DecoderConfig, HuggingFaceConfig } from "./config.ts";
import { countParameters } from "./cost.ts";
import { weightsOf } from "./families/index.ts";
import { readGgufConfig } from "./gguf/config.ts";
import { openGgufModel } from "./gguf/weights.ts";
import { readFolderConfig } from "./hugging-face.ts";
import type { WeightPlace, WeightTable } from "./weights.ts";

export interface ModelFiles {
  readonly config: DecoderConfig;
  /** `config.json`, or what would be it. */
  readonly raw: HuggingFaceConfig;
  /** Names and layout of the reader's tensors. */
  readonly table: WeightTable;
  readonly reader: Pick<SafetensorsReader, "names" | "describe" | "read" | "close">;
}

export interface ModelFolder extends ModelFiles {
  readonly reader: SafetensorsReader;
}

/** The configuration alone, without the weights. */
export function readConfig(path: string): { config: DecoderConfig; raw: HuggingFaceConfig } {
  if (!isGgufPath(path)) return readFolderConfig(path);
  const { config, raw } = readGgufConfig(readGgufHeader(path));
  return { config, raw };
}

export function openModelFiles(path: string): ModelFiles {
  return checked(path, isGgufPath(path) ? openGgufModel(path) : openFolder(path));
}

/** The same of a folder, whose tensors can be read in part. Errors: a GGUF file. */
export function openModelFolder(path: string): ModelFolder {
  if (isGgufPath(path))
    throw new FieldError("MODEL_FOLDER", {
      at: path,
      expected: "a Hugging Face model folder",
      todo: `run: perennial import ${path} FOLDER`,
    });
  return checked(path, openFolder(path));
}

function checked<Files extends ModelFiles>(path: string, files: Files): Files {
  try {
    checkSize(path, files);
    return files;
  } catch (error) {
    files.reader.close();
    throw error;
  }
}

function openFolder(path: string): ModelFolder {
  const { config, raw } = readFolderConfig(path);
  const reader = openWeights(path);
  return { config, raw, table: weightsOf(config), reader: { ...reader, names: reader.names.filter((name) => !computed.test(name)) } };
}

/** Buffers that old files carry and that can be computed: rotary frequencies, causal masks. */
const computed = /rotary_emb\.inv_freq$|\.(attn|attention)\.(bias|masked_bias)$/;

/** A damaged configuration can ask for any number of layers: found out before memory is taken for them. */
function checkSize(path: string, { config, reader }: ModelFiles): void {
  const values = reader.names.reduce((sum, name) => sum + reader.describe(name).shape.reduce((product, size) => product * size, 1), 0);
  const { total } = countParameters(config);
  if (!(total <= 2 * values + config.hiddenSize))
    throw new PerennialError(
      "MODEL_WEIGHTS",
      `${path}: the configuration asks for ${total} weights but there are ${values}; the file is damaged, or belongs to another model`,
    );
}

/** The place of a tensor. Errors: a name that the architecture does not have. */
export function placeOf(folder: string, table: WeightTable, name: string): WeightPlace {
  try {
    return table.byTheirs(name);
  } catch (error) {
    throw new PerennialError("MODEL_WEIGHTS", `${folder}: ${(error as Error).message}`, { cause: error });
  }
}

/** The weights of a model folder: one file or shards. */
export function openWeights(folder: string): SafetensorsReader {
  for (const file of ["model.safetensors.index.json", "model.safetensors"])
    if (existsSync(join(folder, file))) return openSafetensors(join(folder, file));
  const pickled = existsSync(join(folder, "pytorch_model.bin")) || existsSync(join(folder, "pytorch_model.bin.index.json"));
  throw new FieldError("MODEL_WEIGHTS_MISSING", {
    at: folder,
    expected: "model.safetensors or model.safetensors.index.json",
    todo: pickled
      ? "convert pytorch_model.bin to safetensors; pickled weights can run code and are never loaded"
      : "check the path of the model",
  });
}
