/** The tiny golden tokenizers that GGUF can hold, for tests and for tools/golden/gguf-llama-cpp.ts. */
import { readFileSync } from "node:fs";
import { type WrittenMetadata, type WrittenValue, writeGguf } from "../../../gguf/index.ts";
import { JsonTokenizer } from "../../json-tokenizer.ts";
import { tokenizerEntries } from "../index.ts";
import { mergesOf, scoresOf } from "../scores.ts";

const golden = (name: string) => JSON.parse(readFileSync(new URL(`../../golden/${name}.json`, import.meta.url), "utf8"));

export const hardTexts: readonly string[] = golden("texts");
export const byteLevelNames = ["gpt2", "smollm", "llama3", "qwen2", "o200k", "tekken", "falcon", "bloom", "deepseek"] as const;
export const pieceNames = ["llama2", "gemma"] as const;

interface Json {
  readonly model: { vocab: Record<string, number>; merges: ([string, string] | string)[]; ignore_merges?: boolean };
}

export const goldenTokenizer = (name: string, change: (json: Json) => Json = (json) => json, roles = {}): JsonTokenizer =>
  new JsonTokenizer(new Map([["tokenizer.json", Buffer.from(JSON.stringify(change(golden(name).tokenizer)))]]), roles);

/** With a merge for every way of cutting a piece in two, as SentencePiece has them; the golden ones were trained without. */
function complete(json: Json): Json {
  const ids = new Map(Object.entries(json.model.vocab));
  const pairs = json.model.merges.map((merge) => (typeof merge === "string" ? (merge.split(" ") as [string, string]) : merge));
  return { ...json, model: { ...json.model, merges: mergesOf(ids, [...scoresOf(ids, pairs).scores]).map(([a, b]) => [a, b]) } };
}

/** As Mistral's own file says. */
const ignoringMerges = (json: Json): Json => ({ ...json, model: { ...json.model, ignore_merges: true } });

export function tokenizerFixture(name: (typeof byteLevelNames | typeof pieceNames)[number]): JsonTokenizer {
  const isPieces = (pieceNames as readonly string[]).includes(name);
  return isPieces
    ? goldenTokenizer(name, complete, { bos: "<s>", eos: "</s>", unk: "<unk>" })
    : goldenTokenizer(name, name === "tekken" ? ignoringMerges : undefined, { bos: "<|endoftext|>", eos: "<|endoftext|>" });
}

/** Rows of the embedding: more than there are tokens. */
export const ROWS = 1000;

/** A file with a tokenizer and nothing else. */
export function writeVocabulary(path: string, entries: WrittenMetadata): void {
  const shape: [string, WrittenValue][] = [
    ["general.architecture", "llama"],
    ["llama.context_length", 64],
    ["llama.embedding_length", 8],
    ["llama.block_count", 1],
    ["llama.feed_forward_length", 8],
    ["llama.attention.head_count", 1],
    ["llama.rope.dimension_count", 8],
    ["llama.attention.layer_norm_rms_epsilon", { float32: 1e-5 }],
  ];
  writeGguf(path, new Map([...shape, ...entries]), []);
}

/** Without the stored tokenizer.json: what the other entries say has to be enough. */
export function bareEntries(tokenizer: JsonTokenizer): WrittenMetadata {
  const entries = new Map(tokenizerEntries(tokenizer, ROWS));
  entries.delete("tokenizer.huggingface.json");
  return entries;
}
