/** Hugging Face model folders: in without a conversion step, out so that every tool of the ecosystem reads them. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Dtype, noGrad, scope, type Tensor, torch, writeSharded } from "@perennial/torch";
import { FieldError, PerennialError } from "../errors.ts";
import type { HuggingFaceConfig } from "./config.ts";
import { Decoder } from "./decoder.ts";
import { weightsOf } from "./families/index.ts";
import { formatConfig, toHuggingFace } from "./hugging-face.ts";
import { openModelFiles, placeOf } from "./open.ts";
import { toTheirs, type WeightPlace } from "./weights.ts";

export interface LoadedModel {
  readonly model: Decoder;
  /** `config.json` as it was, keys that we do not know included; what would be it where there is none. */
  readonly rawConfig: HuggingFaceConfig;
}

/**
 * Loads the decoder of a model folder or a GGUF file; weights become float32 unless `dtype` says otherwise.
 * Errors name the file and the tensor: no config, another architecture, missing, unexpected, mis-shaped or
 * non-floating-point tensors, a damaged file, an index that leaves the folder.
 */
export function loadModel(folder: string, options: { dtype?: Dtype } = {}): LoadedModel {
  const { config, raw, table, reader } = openModelFiles(folder);
  try {
    const model = new Decoder(config);
    const own = model.stateDict();
    const places = new Map<string, { place: WeightPlace; name: string }>();
    for (const name of reader.names) {
      const place = placeOf(folder, table, name);
      // Tied models are sometimes saved with the tied copy.
      if (config.tieWordEmbeddings && place.ours[0] === "lmHead.weight") continue;
      places.set(place.theirs, { place, name });
    }
    const asked = new Set([...own.keys()].map((name) => table.byOurs(name).theirs));
    const missing = [...asked].filter((theirs) => !places.has(theirs));
    if (missing.length > 0)
      throw new PerennialError("MODEL_WEIGHTS", `${folder}: the weights lack ${list(missing)}; the configuration asks for them`);
    const unexpected = [...places].filter(([theirs]) => !asked.has(theirs)).map(([, { name }]) => name);
    if (unexpected.length > 0)
      throw new PerennialError("MODEL_WEIGHTS", `${folder}: the configuration has no place for ${list(unexpected)}`);
    for (const { place, name } of places.values()) {
      const { dtype, shape } = reader.describe(name);
      const shapes = place.ours.map((part) => own.get(part)!.shape);
      const expected = scope(() => place.layout.join(shapes.map((part) => torch.empty([...part], { device: "meta" }))).shape);
      if (shape.join() !== expected.join())
        throw new FieldError("MODEL_WEIGHTS", {
          at: `${folder} ${name}`,
          expected: `shape [${expected.join(", ")}] as the configuration says`,
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

const list = (names: readonly string[]) => `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;

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
