/**
 * Trains a Unigram tokenizer (Kudo 2018; native/tokenizer/unigram-trainer.h) with byte fallback: words are cut at blanks,
 * U+2581 stands for the blank before a word, and a character that the vocabulary lacks is written as its bytes, so that
 * decode undoes encode for every text without a U+2581 of its own. Vocabulary, in this order: special tokens, <unk>, 256 bytes,
 * characters (ASCII, and the most frequent others until `characterCoverage` of the text has a token), pieces by score.
 * Memory as in train.ts; counts have 64 bits.
 */
import { availableParallelism } from "node:os";
import { FieldError } from "../errors.ts";
import { writtenScore } from "./extended-json.ts";
import { packTokens, type Text, tokenizerAddon } from "./native.ts";
import type { TrainedTokenizer } from "./train.ts";
import { feed, MAX_WORDS, specialTokensJson, splitAt, tokenizerOf } from "./trainer.ts";

export interface TrainUnigramOptions {
  /** Tokens in all. Fewer come out when the text has no more pieces. */
  readonly vocabSize: number;
  /** The first ids, in this order; the first of them ends documents and begins generation. */
  readonly specialTokens?: readonly string[];
  /** Share of the text's characters that have a token of their own, 0–1. */
  readonly characterCoverage?: number;
  /** A piece that occurs less often is not considered. */
  readonly minFrequency?: number;
  /** Longest piece, in characters. */
  readonly maxPieceLength?: number;
  /** Canonical composition (NFC) before all else. */
  readonly normalize?: boolean;
  readonly threads?: number;
  readonly maxWords?: number;
}

const UNKNOWN = "<unk>";
const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCodePoint(0x20 + i)).filter((character) => character !== " ");
/** Loses against the characters of its name, which are all in the vocabulary: text that spells `<0x41>` stays that. */
const NEVER_CHOSEN = -1e4;

export async function trainUnigramTokenizer(
  texts: AsyncIterable<Text> | Iterable<Text>,
  options: TrainUnigramOptions,
): Promise<TrainedTokenizer> {
  const { vocabSize, specialTokens = ["<|endoftext|>"], characterCoverage = 0.9995, minFrequency = 2, maxPieceLength = 16 } = options;
  const { normalize = false, threads = availableParallelism(), maxWords = MAX_WORDS } = options;
  const reserved = [...new Set([...specialTokens, UNKNOWN])];
  const addon = tokenizerAddon();
  const blank = tokenizerOf(
    unigramJson(
      reserved.map((token) => [token, 0]),
      specialTokens,
      normalize,
    ),
  );
  const trainer = addon.trainerCreate(blank.pipeline, maxWords, true);
  await feed(trainer, texts, threads, false);
  const characters = [...new Set([...ASCII, ...frequentCharacters(addon.trainerCharacters(trainer), characterCoverage)])];
  const numPieces = vocabSize - reserved.length - BYTES.length - characters.length;
  if (!Number.isSafeInteger(vocabSize) || numPieces < 0)
    throw new FieldError("TOKENIZER_VOCAB_SIZE", {
      at: "vocabSize",
      expected: `at least ${vocabSize - numPieces}: ${characters.length} characters, 256 bytes and the special tokens`,
      received: vocabSize,
    });
  const trained = await addon.trainerTrainUnigram(trainer, {
    symbols: null,
    inertIds: new Int32Array(0),
    tokens: packTokens(characters.map((character, i) => [character, i])),
    known: packTokens([...reserved, ...BYTES].map((token, i) => [token, i])),
    numPieces,
    maxSymbols: maxPieceLength,
    minFrequency,
    keepOld: false,
    threads,
  });
  const pieces = splitAt(trained.symbols, trained.ends).map((symbols) => Array.from(symbols, (symbol) => characters[symbol]!).join(""));
  const vocabulary: [string, number][] = [
    ...reserved.map((token): [string, number] => [token, NEVER_CHOSEN]),
    ...BYTES.map((token): [string, number] => [token, NEVER_CHOSEN]),
    ...characters.map((token, i): [string, number] => [token, writtenScore(trained.symbolScores[i]!)]),
    ...pieces.map((token, i): [string, number] => [token, writtenScore(trained.scores[i]!)]),
  ];
  const { words, differentWords, forgottenWords } = trained;
  const tokenizer = tokenizerOf(unigramJson(vocabulary, specialTokens, normalize), specialTokens[0]);
  return { tokenizer, words, differentWords, forgottenWords };
}

/** The most frequent characters until `coverage` of all are covered. */
function frequentCharacters({ codePoints, counts }: { codePoints: Uint32Array; counts: Float64Array }, coverage: number): string[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const characters: string[] = [];
  let seen = 0;
  for (const [i, codePoint] of codePoints.entries()) {
    if (seen >= coverage * total) break;
    seen += counts[i]!;
    characters.push(String.fromCodePoint(codePoint));
  }
  return characters;
}

function unigramJson(vocabulary: readonly [string, number][], specialTokens: readonly string[], normalize: boolean) {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokensJson(specialTokens),
    normalizer: normalize ? { type: "NFC" } : null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: "[\\r\\n]+" }, behavior: "Isolated", invert: false },
        { type: "Metaspace", replacement: "▁", prepend_scheme: "never", split: true },
      ],
    },
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }],
    },
    model: {
      type: "Unigram",
      unk_id: vocabulary.findIndex(([token]) => token === UNKNOWN),
      vocab: vocabulary,
      byte_fallback: vocabulary.length > specialTokens.length + 1,
    },
  };
}
