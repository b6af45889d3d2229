/** A model, folder or file, → a GGUF file that llama.cpp loads. */
import { noGrad, scope, type Tensor, tensor, torch } from "@perennial/torch";
import { PerennialError } from "../../errors.ts";
import { tensorTypes, type WrittenMetadata, type WrittenTensor, type WrittenType, type WrittenValue, writeGguf } from "../../gguf/index.ts";
import { type ModelFiles, openModelFiles, placeOf } from "../open.ts";
import { weightShapes } from "../shapes.ts";
import type { WeightPlace, WeightTable } from "../weights.ts";
import type { Architecture } from "./architectures.ts";
import { architectureFor, configEntries, differences, storedConfigEntry } from "./config.ts";

export interface GgufExportOptions {
  /** Of matrices; vectors, norms and positions are F32 always. Q8_0 needs rows of whole blocks: others become F16. */
  readonly type: WrittenType;
  /** The tokenizer's entries; without them a runtime knows ids alone. */
  readonly tokenizer?: WrittenMetadata | undefined;
  /** `general.name`; some names mean something to llama.cpp. */
  readonly name: string;
  readonly onTensor?: (done: number, total: number) => void;
}

export interface GgufExport {
  readonly architecture: string;
  /** Where llama.cpp's continuation parts from ours although the file says it all. */
  readonly differences: readonly string[];
}

/** `general.file_type`. */
const fileTypes: Readonly<Record<WrittenType, number>> = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 };

/**
 * Reads and writes tensor by tensor; the path holds the old file or the whole new one.
 * Errors: what llama.cpp would compute in another way, missing weights, values that the type cannot hold.
 */
export function writeGgufModel(source: string, path: string, options: GgufExportOptions): GgufExport {
  const files = openModelFiles(source);
  try {
    const architecture = architectureFor(files.config, source);
    const { entries, tensors: small } = configEntries(files.config, architecture);
    const metadata = new Map<string, WrittenValue>([
      ["general.architecture", architecture.name],
      ["general.type", "model"],
      ["general.name", nameFor(options)],
      ["general.file_type", fileTypes[options.type]],
      ["general.quantization_version", 2],
      ...entries,
      ...(options.tokenizer ?? [["tokenizer.ggml.model", "no_vocab"] as const]),
      storedConfigEntry(files.raw),
    ]);
    const tensors = [...matrices(files, architecture, source, options.type), ...[...small].map(vector)];
    writeGguf(path, metadata, tensors, (done) => options.onTensor?.(done, tensors.length));
    return { architecture: architecture.name, differences: differences(files.config, architecture) };
  } finally {
    files.reader.close();
  }
}

/** llama.cpp takes a name like Phi-3 for a promise of these tokens, and refuses the file without them. */
function nameFor({ name, tokenizer }: GgufExportOptions): string {
  const tokens = tokenizer?.get("tokenizer.ggml.tokens");
  const promised = ["</s>", "<s>", "<unk>", "<|endoftext|>"];
  const kept = Array.isArray(tokens) && promised.every((token) => tokens.includes(token));
  return kept ? name : name.replace(/phi-?3/gi, "Phi 3");
}

const vector = ([name, values]: readonly [string, Float32Array]): WrittenTensor => ({
  name,
  type: "F32",
  shape: [values.length],
  read: () => tensor(values),
});

function* matrices(files: ModelFiles, architecture: Architecture, source: string, type: WrittenType): Iterable<WrittenTensor> {
  const shapes = new Map(weightShapes(files.config));
  const readPart = partReader(files, shapes, source);
  const table = architecture.weights(files.config);
  const done = new Set<string>();
  for (const name of shapes.keys()) {
    const place = table.byOurs(name);
    if (done.has(place.theirs)) continue;
    done.add(place.theirs);
    yield written(place, place.theirs, shapes, readPart, type);
  }
  if (architecture.needsOutput === true && files.config.tieWordEmbeddings)
    yield written(table.byOurs("embedTokens.weight"), "output.weight", shapes, readPart, type);
}

function written(
  { ours, layout }: WeightPlace,
  name: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  readPart: (ours: string) => Tensor,
  type: WrittenType,
): WrittenTensor {
  const shape = scope(() => layout.join(ours.map((part) => torch.empty([...shapes.get(part)!], { device: "meta" }))).shape);
  return {
    name,
    type: typeOf(name, shape, type),
    shape,
    read: () => noGrad(() => layout.join(ours.map(readPart))),
  };
}

function typeOf(name: string, shape: readonly number[], type: WrittenType): WrittenType {
  if (shape.length < 2 || name.startsWith("position_embd")) return "F32";
  return shape.at(-1)! % tensorTypes[type].blockValues === 0 ? type : "F16";
}

/** Reads one of our weights out of the tensor that holds it. Errors: weights that are missing or of another shape. */
function partReader(
  { reader, table }: ModelFiles,
  shapes: ReadonlyMap<string, readonly number[]>,
  source: string,
): (ours: string) => Tensor {
  const places = placesOf(source, reader.names, table, shapes);
  const missing = [...shapes.keys()].filter((name) => !places.has(name));
  if (missing.length > 0) throw new PerennialError("MODEL_WEIGHTS", `${source}: the weights lack ${table.byOurs(missing[0]!).theirs}`);
  return (ours) => {
    const { name, place, index } = places.get(ours)!;
    const expected = place.ours.map((part) => shapes.get(part)!);
    const part = place.layout.split(reader.read(name), expected)[index]!;
    if (part.shape.join() !== shapes.get(ours)!.join())
      throw new PerennialError(
        "MODEL_WEIGHTS",
        `${source} ${name}: has the shape [${reader.describe(name).shape.join(", ")}], which the configuration does not give`,
      );
    return part;
  };
}

function placesOf(source: string, names: readonly string[], table: WeightTable, shapes: ReadonlyMap<string, unknown>) {
  const places = new Map<string, { name: string; place: WeightPlace; index: number }>();
  for (const name of names) {
    const place = placeOf(source, table, name);
    for (const [index, part] of place.ours.entries()) {
      // Tied models are sometimes saved with the tied copy.
      if (shapes.has(part)) places.set(part, { name, place, index });
      else if (part !== "lmHead.weight") throw new PerennialError("MODEL_WEIGHTS", `${source}: the configuration has no place for ${name}`);
    }
  }
  return places;
}
