/**
 * `tokenizer.ggml.pre`: llama.cpp knows how a byte-level tokenizer cuts text by a name. What each name means, as steps of a
 * tokenizer.json (src/llama-vocab.cpp and conversion/base.py of https://github.com/ggml-org/llama.cpp).
 */
import { GPT2_PATTERN, LLAMA3_PATTERN, O200K_PATTERN, QWEN2_PATTERN, TEKKEN_PATTERN } from "../steps.ts";

export interface PreTokenization {
  /** The first is written. */
  readonly names: readonly string[];
  readonly steps: readonly object[];
  /** A piece that is a token stays one, whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** Whether a text begins with bos where the file does not say. */
  readonly addBos: boolean;
}

const split = (regex: string) => ({ type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false });
const byteLevel = (useRegex: boolean) => ({ type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: useRegex });
const digits = (individual: boolean) => ({ type: "Digits", individual_digits: individual });

const pre = (
  names: string,
  steps: readonly object[],
  { ignoreMerges = false, addBos }: { ignoreMerges?: boolean; addBos?: boolean } = {},
): PreTokenization => ({
  names: names.split(" "),
  steps,
  ignoreMerges,
  addBos: addBos ?? ignoreMerges,
});
const bySplits = (...patterns: readonly string[]) => [...patterns.map(split), byteLevel(false)];

const DEEPSEEK_WORDS =
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN35_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const BLOOM_WORDS = " ?[^(\\s|[.,!?…。，、।۔،])]+";

export const preTokenizations: readonly PreTokenization[] = [
  pre("gpt-2 phi-2 mpt olmo jais mellum modern-bert exaone4 gigachat a.x-4.0 trillion granite-docling", [byteLevel(true)]),
  pre("smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", [digits(true), byteLevel(true)]),
  pre("llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", bySplits(LLAMA3_PATTERN), { ignoreMerges: true }),
  pre("glm4 glm5", bySplits(LLAMA3_PATTERN), { ignoreMerges: true, addBos: false }),
  pre("dbrx smaug-bpe chatglm-bpe", bySplits(LLAMA3_PATTERN)),
  pre("qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 hunyuan solar-open megrez grok-2", bySplits(QWEN2_PATTERN)),
  pre("qwen35", bySplits(QWEN35_PATTERN)),
  pre("gpt-4o llama4 kanana2 talkie minimax-m2", bySplits(O200K_PATTERN)),
  pre("tekken", bySplits(TEKKEN_PATTERN), { ignoreMerges: true }),
  pre("falcon", [{ type: "Punctuation", behavior: "Contiguous" }, byteLevel(true), digits(false), split("[0-9][0-9][0-9]")]),
  pre("bloom poro-chat gpt3-finnish", bySplits(BLOOM_WORDS)),
  pre("viking", bySplits(BLOOM_WORDS, "\\p{N}")),
  pre("deepseek-v3 hunyuan-dense joyai-llm", bySplits("\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK_WORDS)),
  pre("deepseek-coder", bySplits("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}")),
  pre("default", bySplits("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2_PATTERN, "\\p{N}+", "[0-9][0-9][0-9]")),
];
