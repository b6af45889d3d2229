/** Tiny models of every architecture that GGUF can hold, made from the family fixtures, for tests and for tools/golden/gguf-llama-cpp.ts. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSafetensors, scope, writeSafetensors } from "@perennial/torch";
import type { WrittenMetadata, WrittenType, WrittenValue } from "../../../gguf/index.ts";
import { readConfig } from "../../index.ts";

export interface Fixture {
  readonly name: string;
  /** The folder under golden/ that it is made from. */
  readonly family: string;
  /** Fields of config.json that are changed to what llama.cpp computes. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Tensors that the changed configuration has no place for. */
  readonly without?: RegExp;
  /** Tokens of the prompt and after it. */
  readonly prompt?: number;
  readonly continuation?: number;
  /** By type, the ids after which we part from llama.cpp, which rounds activations to the type of the weights as well. */
  readonly apart?: Readonly<Partial<Record<WrittenType, number>>>;
}

export const fixtures: readonly Fixture[] = [
  { name: "llama2", family: "llama2" },
  { name: "llama3", family: "llama3", apart: { Q8_0: 5 } },
  { name: "llama-linear", family: "llama-linear" },
  // Within the length beyond which we stretch the angles and llama.cpp does not.
  { name: "llama-dynamic", family: "llama-dynamic", prompt: 4, continuation: 12 },
  // Within the window, which llama.cpp does not have here.
  { name: "mistral", family: "mistral", prompt: 4, continuation: 4 },
  { name: "qwen2", family: "qwen2" },
  { name: "qwen2-yarn", family: "qwen2-yarn", config: { use_sliding_window: false, layer_types: null } },
  { name: "qwen3", family: "qwen3" },
  { name: "gemma2", family: "gemma2", config: { query_pre_attn_scalar: 16 } },
  { name: "gemma3", family: "gemma3", config: { query_pre_attn_scalar: 16 } },
  { name: "olmo2", family: "olmo2" },
  { name: "olmo3", family: "olmo3" },
  // Beyond the original length, so that both take the long factors.
  { name: "phi3", family: "phi3", config: { sliding_window: null }, prompt: 20 },
  { name: "gpt2", family: "gpt2" },
  { name: "pythia", family: "pythia" },
  { name: "neox-sequential", family: "neox-sequential" },
  { name: "falcon", family: "falcon" },
  {
    name: "falcon-grouped",
    apart: { Q8_0: 10 },
    family: "falcon-grouped",
    config: { bias: false },
    without: /(query_key_value|dense|dense_h_to_4h|dense_4h_to_h)\.bias$/,
  },
  { name: "bloom", family: "bloom", prompt: 9 },
];

const golden = new URL("../../golden/", import.meta.url).pathname;

/** Writes the model folder of a fixture below `parent`; returns its path. */
export function makeFixture({ name, family, config = {}, without }: Fixture, parent: string): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  const source = join(golden, family);
  const raw = JSON.parse(readFileSync(join(source, "config.json"), "utf8")) as object;
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...raw, ...config }));
  scope(() => {
    const reader = openSafetensors(join(source, "model.safetensors"));
    const names = reader.names.filter((tensor) => without?.test(tensor) !== true);
    writeSafetensors(join(folder, "model.safetensors"), new Map(names.map((tensor) => [tensor, reader.read(tensor)])));
    reader.close();
  });
  return folder;
}

/** A prompt of ids that every fixture knows. */
export const promptOf = ({ prompt = 6 }: Fixture): number[] => Array.from({ length: prompt }, (_, i) => 5 + ((i * 7) % 50));
export const lengthOf = ({ continuation = 16 }: Fixture): number => continuation;

/** Names for the ids, since a runtime wants some. No id ends a text. */
export function namedIds(folder: string): WrittenMetadata {
  const { vocabSize } = readConfig(folder).config;
  return new Map<string, WrittenValue>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", "gpt-2"],
    ["tokenizer.ggml.tokens", Array.from({ length: vocabSize }, (_, id) => `t${id}`)],
    ["tokenizer.ggml.token_type", new Int32Array(vocabSize).fill(1)],
    ["tokenizer.ggml.merges", []],
    ["tokenizer.ggml.bos_token_id", 1],
    ["tokenizer.ggml.eos_token_id", 0],
    ["tokenizer.ggml.add_bos_token", false],
  ]);
}
