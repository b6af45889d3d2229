/** Hugging Face model folders: in without a conversion step, out so that every tool of the ecosystem reads them. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Dtype, noGrad, openSafetensors, type SafetensorsReader, scope, type Tensor, torch, writeSharded } from "@perennial/torch";
import { FieldError, PerennialError } from "../errors.ts";
import type { HuggingFaceConfig } from "./config.ts";
import { Decoder } from "./decoder.ts";
import { weightsOf } from "./families/index.ts";
import { formatConfig, readConfig, toHuggingFace } from "./hugging-face.ts";
import { toTheirs, type WeightPlace, type WeightTable } from "./weights.ts";

export interface LoadedModel {
  readonly model: Decoder;
  /** `config.json` as it was, keys that we do not know included. */
  readonly rawConfig: HuggingFaceConfig;
}

/**
 * Loads the decoder of a model folder; weights become float32 unless `dtype` says otherwise.
 * Errors name the file and the tensor: no config, another architecture, missing, unexpected, mis-shaped or
 * non-floating-point tensors, a damaged file, an index that leaves the folder.
 */
export function loadModel(folder: string, options: { dtype?: Dtype } = {}): LoadedModel {
  const { config, raw } = readConfig(folder);
  const reader = openWeights(folder);
  try {
    const model = new Decoder(config);
    const own = model.stateDict();
    const table = weightsOf(config);
    const places = new Map<string, { place: WeightPlace; name: string }>();
    for (const name of reader.names) {
      if (computed.test(name)) continue;
      const place = placeOf(folder, table, name);
      // Tied models are sometimes saved with the tied copy.
      if (config.tieWordEmbeddings && place.ours[0] === "lmHead.weight") continue;
      places.set(place.theirs, { place, name });
    }
    const asked = new Set([...own.keys()].map((name) => table.byOurs(name).theirs));
    const missing = [...asked].filter((theirs) => !places.has(theirs));
    if (missing.length > 0)
      throw new PerennialError("MODEL_WEIGHTS", `${folder}: the weights lack ${list(missing)}; config.json asks for them`);
    const unexpected = [...places].filter(([theirs]) => !asked.has(theirs)).map(([, { name }]) => name);
    if (unexpected.length > 0) throw new PerennialError("MODEL_WEIGHTS", `${folder}: config.json has no place for ${list(unexpected)}`);
    for (const { place, name } of places.values()) {
      const { dtype, shape } = reader.describe(name);
      const shapes = place.ours.map((part) => own.get(part)!.shape);
      const expected = scope(() => place.layout.join(shapes.map((part) => torch.empty([...part], { device: "meta" }))).shape);
      if (shape.join() !== expected.join())
        throw new FieldError("MODEL_WEIGHTS", {
          at: `${folder} ${name}`,
          expected: `shape [${expected.join(", ")}] as config.json says`,
          received: shape,
        });
      if (!/^b?float/.test(dtype))
        throw new FieldError("MODEL_WEIGHTS", { at: `${folder} ${name}`, expected: "a floating point type", received: dtype });
      noGrad(() =>
        scope(() => {
          for (const [i, part] of place.layout.split(reader.read(name), shapes).entries()) own.get(place.ours[i]!)!.copy_(part);
        }),
      );
    }
    if (options.dtype !== undefined) model.to({ dtype: options.dtype });
    return { model, rawConfig: raw };
  } finally {
    reader.close();
  }
}

/** Buffers that old files carry and that can be computed: rotary frequencies, causal masks. */
const computed = /rotary_emb\.inv_freq$|\.(attn|attention)\.(bias|masked_bias)$/;

function placeOf(folder: string, table: WeightTable, name: string): WeightPlace {
  try {
    return table.byTheirs(name);
  } catch (error) {
    throw new PerennialError("MODEL_WEIGHTS", `${folder}: ${(error as Error).message}`, { cause: error });
  }
}

const list = (names: readonly string[]) => `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;

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

export interface SaveOptions {
  /** dtype of the saved weights. Default: as they are. */
  dtype?: Dtype;
  rawConfig?: HuggingFaceConfig;
  maxShardBytes?: number;
  /** Size of the tokenizer's vocabulary; it must not exceed the model's. */
  tokenizerVocabSize?: number;
}

/** Saves a model folder that `transformers` loads. Tied output weights are written once, as it does. */
export function saveModel(folder: string, model: Decoder, options: SaveOptions = {}): void {
  const { config } = model;
  const rows = model.embedTokens.weight.size(0);
  if (rows !== config.vocabSize || model.outputWeight.size(0) !== rows)
    throw new PerennialError(
      "MODEL_SIZES",
      `config says ${config.vocabSize} tokens, the embedding has ${rows} rows and the head ${model.outputWeight.size(0)}; resize them together`,
    );
  if (options.tokenizerVocabSize !== undefined && options.tokenizerVocabSize > rows)
    throw new PerennialError(
      "MODEL_SIZES",
      `the tokenizer knows ${options.tokenizerVocabSize} tokens but the embedding has only ${rows} rows`,
    );
  mkdirSync(folder, { recursive: true });
  scope(() => {
    writeSharded(folder, savedTensors(model, options.dtype), {
      metadata: { format: "pt" },
      ...(options.maxShardBytes === undefined ? {} : { maxShardBytes: options.maxShardBytes }),
    });
  });
  const dtype = options.dtype ?? model.embedTokens.weight.dtype;
  writeText(join(folder, "config.json"), formatConfig(toHuggingFace(config, options.rawConfig, dtype)));
  const generation = join(folder, "generation_config.json");
  if (!existsSync(generation) && config.eosTokenIds.length > 0)
    writeText(
      generation,
      formatConfig({
        ...(config.bosTokenId === null ? {} : { bos_token_id: config.bosTokenId }),
        eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : config.eosTokenIds,
        ...(config.padTokenId === null ? {} : { pad_token_id: config.padTokenId }),
      }),
    );
}

function writeText(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

/** The weights under the names, and in the layout, of the model's family; detached, and in another dtype where asked. */
export function savedTensors(model: Decoder, dtype?: Dtype): Map<string, Tensor> {
  const converted = (tensor: Tensor) => (dtype === undefined ? tensor.detach() : tensor.detach().to(dtype));
  const ours = new Map([...model.stateDict()].map(([name, tensor]) => [name, converted(tensor)]));
  return toTheirs(weightsOf(model.config), ours);
}
