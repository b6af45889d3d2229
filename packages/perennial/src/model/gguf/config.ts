/** `config.json` in and out of the metadata of a GGUF file. */
import { FieldError } from "../../errors.ts";
import { type GgufHeader, Keys, type MetadataValue, type WrittenMetadata, type WrittenValue } from "../../gguf/index.ts";
import type { DecoderConfig, HuggingFaceConfig } from "../config.ts";
import { fromHuggingFace, toHuggingFace } from "../hugging-face.ts";
import { type Architecture, architectures, readArchitecture, Source, writeCommon } from "./architectures.ts";
import { writeRope } from "./rope.ts";

/** `config.json` as it was, for the way back: what GGUF has no key for is only here. */
const STORED_CONFIG = "perennial.config";

export function architectureOf(header: GgufHeader): Architecture {
  const keys = new Keys(header);
  const name = keys.string("general.architecture");
  const found = architectures.find((architecture) => architecture.name === name);
  if (found === undefined)
    throw keys.wrong("general.architecture", `one of ${architectures.map((architecture) => architecture.name).join(", ")}`);
  if (keys.number("split.count", 1) > 1)
    throw keys.wrong("split.count", "a model in one file", "put its parts together with llama-gguf-split --merge");
  return found;
}

/** The configuration of the model in a file, and its `config.json`. */
export function readGgufConfig(header: GgufHeader): { architecture: Architecture; config: DecoderConfig; raw: HuggingFaceConfig } {
  const architecture = architectureOf(header);
  const keys = new Keys(header);
  const stored = storedConfig(header, keys, architecture);
  if (stored !== undefined) return { architecture, ...stored };
  const config = readArchitecture(architecture, new Source(header, keys, architecture.name));
  return { architecture, config, raw: toHuggingFace(config) };
}

/** The `config.json` that the file was written from, unless its other entries have been changed since. */
function storedConfig(
  header: GgufHeader,
  keys: Keys,
  architecture: Architecture,
): { config: DecoderConfig; raw: HuggingFaceConfig } | undefined {
  if (!keys.has(STORED_CONFIG)) return undefined;
  let raw: HuggingFaceConfig;
  try {
    raw = JSON.parse(keys.string(STORED_CONFIG)) as HuggingFaceConfig;
  } catch (error) {
    throw new FieldError("GGUF_METADATA", { at: `${header.path} ${STORED_CONFIG}`, expected: "JSON", received: (error as Error).message });
  }
  const config = fromHuggingFace(raw, `${header.path} ${STORED_CONFIG}`);
  const { entries } = configEntries(config, architecture);
  const agrees = [...entries].every(([key, value]) => same(value, header.metadata.get(key)));
  return agrees && header.tensors.get("token_embd.weight")?.shape[0] === config.vocabSize ? { config, raw } : undefined;
}

function same(written: WrittenValue, read: MetadataValue | undefined): boolean {
  if (typeof written === "object" && "float32" in written) return Math.fround(written.float32) === read;
  return JSON.stringify(written) === JSON.stringify(read);
}

/** The entries and small tensors that describe a configuration. */
export function configEntries(
  config: DecoderConfig,
  architecture: Architecture,
): { entries: WrittenMetadata; tensors: ReadonlyMap<string, Float32Array> } {
  const prefixed = (key: string) => `${architecture.name}.${key}`;
  const entries = new Map<string, WrittenValue>();
  for (const [key, value] of writeCommon(config)) entries.set(prefixed(key), value);
  for (const [key, value] of architecture.write?.(config) ?? []) entries.set(prefixed(key), value);
  if (config.position !== "rotary") return { entries, tensors: new Map() };
  const rope = writeRope(config, architecture.name);
  for (const [key, value] of rope.entries) entries.set(key, value);
  return { entries, tensors: rope.tensors };
}

export const storedConfigEntry = (raw: HuggingFaceConfig): readonly [string, string] => [STORED_CONFIG, JSON.stringify(raw)];

/** The architecture that a configuration is written as. Errors: what llama.cpp would compute in another way. */
export function architectureFor(config: DecoderConfig, at: string): Architecture {
  const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(config.modelType));
  if (architecture === undefined)
    throw new FieldError("EXPORT_GGUF", {
      at: `${at} model_type`,
      expected: `one of ${architectures.flatMap(({ modelTypes }) => modelTypes).join(", ")}`,
      received: config.modelType,
    });
  const scaling = config.ropeScaling;
  const refuse = (field: string, expected: string, received: unknown) =>
    new FieldError("EXPORT_GGUF", {
      at: `${at} ${field}`,
      expected: `${expected}, which is all that llama.cpp computes for ${architecture.name}`,
      received,
      todo: "keep this model as a Hugging Face folder",
    });
  for (const [field, accepted] of Object.entries(architecture.demands(config))) {
    const value = config[field as keyof DecoderConfig];
    if (!(accepted as readonly unknown[]).some((one) => one === value || (typeof one === "number" && near(one, value))))
      throw refuse(field, accepted.map((one) => JSON.stringify(one)).join(" or "), value);
  }
  if (scaling?.type === "llama3" && architecture.name !== "llama") throw refuse("ropeScaling", "another type of scaling", scaling.type);
  if (scaling?.type === "longrope" && architecture.name !== "llama" && architecture.name !== "phi3")
    throw refuse("ropeScaling", "another type of scaling", scaling.type);
  if (scaling?.type === "yarn" && (scaling.betaFast !== 32 || scaling.betaSlow !== 1 || !scaling.truncate))
    throw refuse("ropeScaling", "yarn with betaFast 32, betaSlow 1 and truncation", scaling);
  return architecture;
}

const near = (expected: number, value: unknown) => typeof value === "number" && Math.abs(value / expected - 1) < 1e-6;

/** Where llama.cpp's continuation parts from ours although the file says it all: for the user to know. */
export function differences(config: DecoderConfig, { name, hasWindow = false }: Architecture): string[] {
  const { slidingWindow, ropeScaling: scaling } = config;
  return [
    ...(slidingWindow !== null && !hasWindow
      ? [`llama.cpp has no sliding window for ${name}: beyond ${slidingWindow} tokens it attends to more than this model was trained to`]
      : []),
    ...(scaling?.type === "dynamic"
      ? [`GGUF has no dynamic rope scaling: beyond ${config.maxPositionEmbeddings} tokens llama.cpp does not stretch the angles`]
      : []),
    ...(scaling?.type === "longrope"
      ? [
          `llama.cpp chooses the long factors by the size of its context: set it to ${scaling.originalMaxPositionEmbeddings} or less for short texts`,
        ]
      : []),
  ];
}
