/**
 * LoRA adapters (Hu et al., arXiv 2106.09685) in the folders of PEFT: `adapter_config.json` and `adapter_model.safetensors`.
 * A module's weight W [out,in] becomes W + s · B A with A [r,in], B [out,r] and s = α/r, or α/√r where `use_rslora` says so
 * (Kalajdzievski, arXiv 2312.03732). With DoRA (Liu et al., arXiv 2402.09353) each row of that gets the length m [out].
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSafetensors, scope, type Tensor, writeSafetensors } from "@perennial/torch";
import { FieldError } from "../../errors.ts";
import { checkConfig, patterned } from "./config.ts";

export interface LoraModule {
  readonly a: Tensor; // [r,in]; of an embedding [r,V]
  readonly b: Tensor; // [out,r]; of an embedding [D,r]
  readonly kind: "linear" | "embedding";
  /** Of B: s times it is added to the layer's bias. [out] */
  readonly bias?: Tensor;
  /** DoRA's lengths. [out] */
  readonly magnitude?: Tensor;
}

export interface LoraAdapter {
  /** `adapter_config.json` as it was, keys that we do not know included. */
  readonly rawConfig: Readonly<Record<string, unknown>>;
  /** By the module's name in the base model's files, e.g. `model.layers.0.self_attn.q_proj`. */
  readonly modules: ReadonlyMap<string, LoraModule>;
  /** Weights that the adapter replaces as a whole, by their names in the base model's files. */
  readonly saved: ReadonlyMap<string, Tensor>;
}

export const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";
const PREFIX = "base_model.model.";

/** Errors: no LoRA, a variant whose change is another, an A without its B, ranks that disagree with each other or the configuration. */
export function readAdapter(folder: string): LoraAdapter {
  const at = join(folder, ADAPTER_CONFIG);
  let rawConfig: Record<string, unknown>;
  try {
    rawConfig = JSON.parse(readFileSync(at, "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new FieldError(
      "ADAPTER_CONFIG",
      { at, expected: `a PEFT adapter's configuration in JSON (${missing(error) ? "there is no such file" : (error as Error).message})` },
      { cause: error },
    );
  }
  checkConfig(rawConfig, at);
  const path = join(folder, ADAPTER_WEIGHTS);
  const { parts, saved } = readParts(path);
  const modules = new Map<string, LoraModule>();
  for (const [name, part] of parts)
    modules.set(name, checkedModule(`${path} ${name}`, part, rankOf(rawConfig, name), rawConfig.use_dora === true));
  if (modules.size + saved.size === 0) throw new FieldError("ADAPTER_WEIGHT", { at: path, expected: "at least one lora_A and lora_B" });
  return { rawConfig, modules, saved };
}

type Part = { -readonly [Key in keyof LoraModule]?: LoraModule[Key] };

function readParts(path: string): { parts: Map<string, Part>; saved: Map<string, Tensor> } {
  const reader = openAdapterWeights(path);
  try {
    const parts = new Map<string, Part>();
    const saved = new Map<string, Tensor>();
    for (const name of reader.names) {
      const inner = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
      const copy = scope(() => reader.read(name));
      const match = /^(.+)\.lora_(embedding_A|embedding_B|A|B|magnitude_vector)(?:\.(weight|bias))?$/.exec(inner);
      if (match === null) {
        if (inner.includes("lora_"))
          throw new FieldError("ADAPTER_WEIGHT", { at: path, expected: "lora_A, lora_B and lora_magnitude_vector alone", received: name });
        saved.set(inner.replace(".modules_to_save.", ".").replace(".base_layer.", "."), copy);
        continue;
      }
      const [, module, what, kind] = match as unknown as [string, string, string, string | undefined];
      const part = parts.get(module) ?? {};
      parts.set(module, part);
      if (what === "magnitude_vector") part.magnitude = copy;
      else if (kind === "bias") part.bias = copy;
      else {
        part.kind = what.startsWith("embedding") ? "embedding" : "linear";
        part[what.endsWith("A") ? "a" : "b"] = copy;
      }
    }
    return { parts, saved };
  } finally {
    reader.close();
  }
}

function openAdapterWeights(path: string) {
  try {
    return openSafetensors(path);
  } catch (error) {
    if (!missing(error)) throw error;
    throw new FieldError(
      "ADAPTER_WEIGHT",
      { at: path, expected: "the adapter's weights, and there is no such file", todo: "save the adapter with safe_serialization" },
      { cause: error },
    );
  }
}

function checkedModule(at: string, { a, b, kind = "linear", bias, magnitude }: Part, rank: number, isDora: boolean): LoraModule {
  const fail = (expected: string, received: unknown) => new FieldError("ADAPTER_WEIGHT", { at, expected, received });
  if (a === undefined || b === undefined || a.ndim !== 2 || b.ndim !== 2 || a.size(0) !== b.size(1))
    throw fail("lora_A [r,in] and lora_B [out,r]", [a?.shape ?? null, b?.shape ?? null]);
  if (a.size(0) !== rank) throw fail(`the rank ${rank} of ${ADAPTER_CONFIG} (r, or rank_pattern)`, a.size(0));
  for (const [what, vector] of [["lora_B.bias", bias], ["lora_magnitude_vector", magnitude]] as const) // biome-ignore format: pairs
    if (vector !== undefined && vector.numel !== b.size(0)) throw fail(`${what} [${b.size(0)}]`, vector.shape);
  if (isDora !== (magnitude !== undefined))
    throw fail(`${isDora ? "a" : "no"} lora_magnitude_vector, as use_dora says`, magnitude?.shape ?? null);
  if (isDora && kind === "embedding") throw fail("DoRA on linear layers alone: that on embeddings is not supported", "an embedding");
  return {
    a,
    b,
    kind,
    ...(bias === undefined ? {} : { bias }),
    ...(magnitude === undefined ? {} : { magnitude: magnitude.reshape([-1]) }),
  };
}

/** Writes a folder that PEFT loads. Each file appears whole. */
export function writeAdapter(folder: string, { rawConfig, modules, saved }: LoraAdapter): void {
  mkdirSync(folder, { recursive: true });
  const tensors = new Map<string, Tensor>();
  for (const [name, { a, b, kind, bias, magnitude }] of modules) {
    const [infix, suffix] = kind === "embedding" ? ["lora_embedding_", ""] : ["lora_", ".weight"];
    tensors.set(`${PREFIX}${name}.${infix}A${suffix}`, a.detach());
    tensors.set(`${PREFIX}${name}.${infix}B${suffix}`, b.detach());
    if (bias !== undefined) tensors.set(`${PREFIX}${name}.lora_B.bias`, bias.detach());
    if (magnitude !== undefined) tensors.set(`${PREFIX}${name}.lora_magnitude_vector`, magnitude.detach());
  }
  for (const [name, value] of saved) {
    // What stands in a layer that has A and B is inside of PEFT's wrapper.
    const [, module, kind] = /^(.+)\.(\w+)$/.exec(name) ?? [];
    tensors.set(`${PREFIX}${modules.has(module ?? "") ? `${module}.base_layer.${kind}` : name}`, value.detach());
  }
  writeSafetensors(join(folder, ADAPTER_WEIGHTS), tensors, { format: "pt" });
  const path = join(folder, ADAPTER_CONFIG);
  writeFileSync(`${path}.tmp`, `${JSON.stringify({ peft_type: "LORA", ...rawConfig }, null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
}

const rankOf = (rawConfig: LoraAdapter["rawConfig"], module: string): number =>
  patterned(rawConfig.rank_pattern, module) ?? (rawConfig.r as number);

/** s of a module. */
export function scalingOf({ rawConfig, modules }: LoraAdapter, module: string): number {
  const rank = modules.get(module)!.a.size(0);
  const alpha = patterned(rawConfig.alpha_pattern, module) ?? (rawConfig.lora_alpha as number);
  return alpha / (rawConfig.use_rslora === true ? Math.sqrt(rank) : rank);
}

/** Tables of rows, and layers that store inputs × outputs. */
export const isTurned = ({ rawConfig, modules }: LoraAdapter, module: string): boolean =>
  modules.get(module)!.kind === "embedding" || rawConfig.fan_in_fan_out === true;

/** s · B A in the shape of the base model's tensor, float32. `module` is the key of `modules`. */
export function loraDelta(adapter: LoraAdapter, module: string): Tensor {
  const { a, b } = adapter.modules.get(module)!;
  const delta = b.float().matmul(a.float()).mul(scalingOf(adapter, module));
  return isTurned(adapter, module) ? delta.t() : delta;
}

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";
