/**
 * LoRA adapters (Hu et al., arXiv 2106.09685) in the folders of PEFT: `adapter_config.json` and `adapter_model.safetensors`.
 * A module's weight W [out,in] becomes W + s · B A with A [r,in], B [out,r] and s = α/r, or α/√r where `use_rslora` says so
 * (Kalajdzievski, arXiv 2312.03732).
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSafetensors, scope, type Tensor, writeSafetensors } from "@perennial/torch";
import { FieldError } from "../../errors.ts";

export interface LoraModule {
  readonly a: Tensor; // [r,in]; of an embedding [r,V]
  readonly b: Tensor; // [out,r]; of an embedding [D,r]
  readonly kind: "linear" | "embedding";
}

export interface LoraAdapter {
  /** `adapter_config.json` as it was, keys that we do not know included. */
  readonly rawConfig: Readonly<Record<string, unknown>>;
  /** By the module's name in the base model's files, e.g. `model.layers.0.self_attn.q_proj`. */
  readonly modules: ReadonlyMap<string, LoraModule>;
  /** Weights that the adapter replaces as a whole, by their names in the base model's files. */
  readonly saved: ReadonlyMap<string, Tensor>;
}

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
const PREFIX = "base_model.model.";

/** Errors: no LoRA, a variant whose change is not s · B A, an A without its B, ranks that disagree. */
export function readAdapter(folder: string): LoraAdapter {
  const at = join(folder, CONFIG);
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
  const reader = openSafetensors(join(folder, WEIGHTS));
  try {
    const parts = new Map<string, { a?: Tensor; b?: Tensor; kind: LoraModule["kind"] }>();
    const saved = new Map<string, Tensor>();
    for (const name of reader.names) {
      const inner = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
      const copy = scope(() => reader.read(name).clone()); // the file is closed when this returns
      const match = /^(.+)\.lora_(embedding_)?([AB])(?:\.weight)?$/.exec(inner);
      if (match === null) {
        if (inner.includes("lora_"))
          throw new FieldError("ADAPTER_WEIGHT", { at: join(folder, WEIGHTS), expected: "lora_A and lora_B alone", received: name });
        saved.set(inner.replace(".modules_to_save.", ".").replace(".base_layer.", "."), copy);
        continue;
      }
      const module = parts.get(match[1]!) ?? { kind: match[2] === undefined ? "linear" : "embedding" };
      module[match[3] === "A" ? "a" : "b"] = copy;
      parts.set(match[1]!, module);
    }
    const modules = new Map<string, LoraModule>();
    for (const [name, { a, b, kind }] of parts) {
      if (a === undefined || b === undefined || a.ndim !== 2 || b.ndim !== 2 || a.size(0) !== b.size(1))
        throw new FieldError("ADAPTER_WEIGHT", {
          at: `${join(folder, WEIGHTS)} ${name}`,
          expected: "lora_A [r,in] and lora_B [out,r]",
          received: [a?.shape ?? null, b?.shape ?? null],
        });
      modules.set(name, { a, b, kind });
    }
    return { rawConfig, modules, saved };
  } finally {
    reader.close();
  }
}

/** Variants that change more than s · B A, or other modules; reading them as plain LoRA would be silently wrong. */
function checkConfig(raw: Record<string, unknown>, at: string): void {
  const expected: Record<string, unknown> = { peft_type: "LORA" };
  for (const field of ["use_dora", "use_qalora", "lora_bias"]) expected[field] = false;
  for (const field of ["layer_replication", "target_parameters", "trainable_token_indices", "use_bdlora", "alora_invocation_tokens"])
    expected[field] = null;
  for (const [field, value] of Object.entries(expected)) {
    const received = raw[field] ?? (value === false ? false : null);
    if (received !== value)
      throw new FieldError("ADAPTER_CONFIG", {
        at: `${at} ${field}`,
        expected: JSON.stringify(value),
        received,
        todo: "merge it with PEFT",
      });
  }
  for (const field of ["r", "lora_alpha"])
    if (typeof raw[field] !== "number" || !(raw[field] > 0))
      throw new FieldError("ADAPTER_CONFIG", { at: `${at} ${field}`, expected: "a positive number", received: raw[field] ?? null });
}

/** Writes a folder that PEFT loads. Each file appears whole. */
export function writeAdapter(folder: string, { rawConfig, modules, saved }: LoraAdapter): void {
  mkdirSync(folder, { recursive: true });
  const tensors = new Map<string, Tensor>();
  for (const [name, { a, b, kind }] of modules) {
    const [infix, suffix] = kind === "embedding" ? ["lora_embedding_", ""] : ["lora_", ".weight"];
    tensors.set(`${PREFIX}${name}.${infix}A${suffix}`, a.detach());
    tensors.set(`${PREFIX}${name}.${infix}B${suffix}`, b.detach());
  }
  for (const [name, value] of saved) tensors.set(PREFIX + name, value.detach());
  writeSafetensors(join(folder, WEIGHTS), tensors, { format: "pt" });
  writeFileSync(join(folder, `${CONFIG}.tmp`), `${JSON.stringify({ peft_type: "LORA", ...rawConfig }, null, 2)}\n`);
  renameSync(join(folder, `${CONFIG}.tmp`), join(folder, CONFIG));
}

/** s · B A in the shape of the base model's tensor, float32. `module` is the key of `modules`. */
export function loraDelta({ rawConfig, modules }: LoraAdapter, module: string): Tensor {
  const { a, b, kind } = modules.get(module)!;
  const rank = a.size(0);
  const alpha = patterned(rawConfig.alpha_pattern, module) ?? (rawConfig.lora_alpha as number);
  const scaling = alpha / (rawConfig.use_rslora === true ? Math.sqrt(rank) : rank);
  const delta = b.float().matmul(a.float());
  // Tables of rows, and layers that store inputs × outputs.
  const turned = kind === "embedding" || rawConfig.fan_in_fan_out === true;
  return (turned ? delta.t() : delta).mul(scaling);
}

/** PEFT's patterns are regular expressions for the end of a module's name; the first that fits counts. */
function patterned(patterns: unknown, module: string): number | undefined {
  for (const [pattern, value] of Object.entries((patterns ?? {}) as Record<string, number>))
    if (new RegExp(`^(.*\\.)?(${pattern})$`).test(module)) return value;
  return undefined;
}

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";
