/**
 * Trains a byte-level BPE tokenizer: counts pre-tokens on all cores, then merges the most frequent pair of neighbors again
 * and again until the vocabulary has the wanted size. Merges equal those of Hugging Face's BpeTrainer with the same
 * pre-tokenizer, the alphabet of all 256 bytes and the same special tokens (ties: the smaller pair of ids); counts have 64 bits.
 * Memory: one entry for each different pre-token (≈ 60 bytes), at most `maxWords` for each thread; beyond it the rarest are
 * forgotten and counted in `forgottenWords` (lossy counting), so that any amount of text can be read.
 */
import { availableParallelism } from "node:os";
import { FieldError } from "../errors.ts";
import { byteCharacters, bytesToCharacters } from "./byte-characters.ts";
import type { JsonTokenizer } from "./json-tokenizer.ts";
import { packTokens, type Text, tokenizerAddon, type WordStatistics } from "./native.ts";
import { LLAMA3_PATTERN, O200K_PATTERN, QWEN2_PATTERN } from "./steps.ts";
import { feed, MAX_WORDS, specialTokensJson, splitAt, tokenizerOf } from "./trainer.ts";

/** How text is cut into words that merges never cross. */
export type PreTokenization = "gpt2" | "llama3" | "qwen2" | "o200k";

export interface TrainTokenizerOptions {
  /** Tokens in all: special tokens, 256 bytes and merges. Fewer come out when the text has no more pairs. */
  readonly vocabSize: number;
  readonly preTokenization?: PreTokenization;
  /** The first ids, in this order; the first of them ends documents and begins generation. */
  readonly specialTokens?: readonly string[];
  /** A pair that occurs less often is not merged. */
  readonly minFrequency?: number;
  /** Canonical composition (NFC) before all else, as Qwen has it. */
  readonly normalize?: boolean;
  readonly threads?: number;
  readonly maxWords?: number;
}

export interface TrainedTokenizer extends WordStatistics {
  readonly tokenizer: JsonTokenizer;
}

export async function trainTokenizer(
  texts: AsyncIterable<Text> | Iterable<Text>,
  options: TrainTokenizerOptions,
): Promise<TrainedTokenizer> {
  const { vocabSize, preTokenization = "llama3", specialTokens = ["<|endoftext|>"], minFrequency = 0, maxWords = MAX_WORDS } = options;
  const { normalize = false, threads = availableParallelism() } = options;
  const tokens = [...new Set([...specialTokens, ...[...byteCharacters].sort((a, b) => (a < b ? -1 : 1))])];
  if (!Number.isSafeInteger(vocabSize) || vocabSize < tokens.length)
    throw new FieldError("TOKENIZER_VOCAB_SIZE", {
      at: "vocabSize",
      expected: `at least ${tokens.length}: 256 bytes and the special tokens`,
      received: vocabSize,
    });
  const json = blankTokenizer(tokens, specialTokens, preTokenization, normalize);
  const blank = tokenizerOf(json);
  const addon = tokenizerAddon();
  const trainer = addon.trainerCreate(blank.pipeline, maxWords, false);
  await feed(trainer, texts, threads, false);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const trained = await addon.trainerTrain(trainer, {
    symbols: null,
    inertIds: new Int32Array(0),
    tokens: packTokens([...blank.description.model.vocab.ids].map((id) => [tokenBytes(tokens[id]!, specialTokens), id])),
    byteIds: Int32Array.from(byteCharacters, (character) => ids.get(character)!),
    vocabSize,
    numTokens: tokens.length,
    minFrequency,
    keepOld: false,
  });
  const all = [...tokens, ...splitAt(trained.bytes, trained.ends).map(bytesToCharacters)];
  const merges: [string, string][] = [];
  for (let i = 0; i < trained.merges.length; i += 3) merges.push([all[trained.merges[i]!]!, all[trained.merges[i + 1]!]!]);
  const { words, differentWords, forgottenWords } = trained;
  const model = { ...json.model, vocab: Object.fromEntries(all.map((token, id) => [token, id])), merges };
  return { tokenizer: tokenizerOf({ ...json, model }, specialTokens[0]), words, differentWords, forgottenWords };
}

/** A special token's bytes are its text; the others are written in the byte alphabet and stand for one byte each. */
function tokenBytes(token: string, specialTokens: readonly string[]): Uint8Array {
  return specialTokens.includes(token) ? Buffer.from(token, "utf8") : Uint8Array.of(byteCharacters.indexOf(token));
}

function blankTokenizer(tokens: readonly string[], specialTokens: readonly string[], preTokenization: PreTokenization, normalize: boolean) {
  const byteLevel = (useRegex: boolean) => ({ type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: useRegex });
  const split = (pattern: string) => ({
    type: "Sequence",
    pretokenizers: [{ type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false }, byteLevel(false)],
  });
  const preTokenizers = {
    gpt2: () => byteLevel(true),
    llama3: () => split(LLAMA3_PATTERN),
    qwen2: () => split(QWEN2_PATTERN),
    o200k: () => split(O200K_PATTERN),
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokensJson(specialTokens),
    normalizer: normalize ? { type: "NFC" } : null,
    pre_tokenizer: preTokenizers[preTokenization](),
    post_processor: null,
    decoder: byteLevel(true),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [] as [string, string][],
    },
  };
}
