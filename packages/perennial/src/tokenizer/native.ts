/** The functions of the native unit `tokenizer` (native/tokenizer/binding.cpp) and the description that they read. */
import { native } from "../native.ts";

/** Postfix program of a set of code points: see `CharacterSet` in regex.h. */
export type SetProgram = Int32Array;

export interface CompiledRegex {
  readonly program: Int32Array;
  readonly sets: readonly SetProgram[];
}

/** Either a compiled regular expression or a plain text to find. */
export interface Pattern {
  readonly regex?: CompiledRegex;
  readonly literal?: string;
}

export type Behavior = "Removed" | "Isolated" | "MergedWithPrevious" | "MergedWithNext" | "Contiguous";

export type NormalizerStep =
  | { readonly type: "NFC" | "NFD" | "NFKC" | "NFKD" | "Lowercase" | "StripAccents" | "Nmt" | "ByteLevel" }
  | { readonly type: "Strip"; readonly left: boolean; readonly right: boolean }
  | { readonly type: "Prepend"; readonly text: string }
  | ({ readonly type: "Replace"; readonly content: string } & Pattern)
  | { readonly type: "Precompiled"; readonly map: Uint8Array }
  | {
      readonly type: "Bert";
      readonly cleanText: boolean;
      readonly handleChineseChars: boolean;
      readonly stripAccents: boolean;
      readonly lowercase: boolean;
    };

export type PreTokenizerStep =
  | { readonly type: "Known"; readonly family: "gpt2" | "cl100k" | "o200k"; readonly digits: number; readonly contractions: boolean }
  | ({ readonly type: "Pattern"; readonly behavior: Behavior; readonly invert: boolean } & Pattern)
  | { readonly type: "Digits"; readonly individual: boolean }
  | { readonly type: "Punctuation"; readonly behavior: Behavior }
  | { readonly type: "Blanks" | "Words" | "Bert" | "PrefixSpace" | "ByteCharacters" }
  | { readonly type: "Delimiter"; readonly character: string }
  | { readonly type: "FixedLength"; readonly length: number }
  | { readonly type: "Metaspace"; readonly mark: string; readonly prepend: "always" | "first" | "never"; readonly split: boolean };

/** Token i is `bytes[ends[i-1], ends[i])`, UTF-8 or, in byte-level vocabularies, raw bytes. */
export interface PackedTokens {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly ids: Int32Array;
}

export type ModelDescription =
  | {
      readonly type: "bpe";
      readonly vocab: PackedTokens;
      /** (left, right, result) triples by rank. */
      readonly merges: Int32Array;
      /** −1 = none; an unknown character is dropped. */
      readonly unkId: number;
      readonly byteLevel: boolean;
      readonly fuseUnk: boolean;
      readonly byteFallback: boolean;
      readonly ignoreMerges: boolean;
      readonly cutBeforeBlankMark: boolean;
      readonly prefix: string;
      readonly suffix: string;
    }
  | {
      readonly type: "unigram";
      readonly vocab: PackedTokens;
      readonly scores: Float64Array;
      readonly unkId: number;
      readonly byteFallback: boolean;
    }
  | {
      readonly type: "wordpiece";
      readonly vocab: PackedTokens;
      readonly unkId: number;
      readonly prefix: string;
      readonly maxCharacters: number;
    }
  | { readonly type: "wordlevel"; readonly vocab: PackedTokens; readonly unkId: number };

export interface AddedToken {
  readonly content: string;
  readonly id: number;
  readonly singleWord: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export interface Description {
  readonly model: ModelDescription;
  readonly added: readonly AddedToken[];
  readonly normalizers: readonly NormalizerStep[];
  readonly steps: readonly PreTokenizerStep[];
  readonly prefix: Int32Array;
  readonly suffix: Int32Array;
}

export type Text = string | Uint8Array;
/** `ids[offsets[i], offsets[i+1])` are those of text i. */
export interface EncodedBatch {
  readonly ids: Int32Array;
  readonly offsets: Float64Array;
}

declare const handle: unique symbol;
export interface PipelineHandle {
  readonly [handle]: "pipeline";
}
export interface TrainerHandle {
  readonly [handle]: "trainer";
}

/** What was counted: pre-tokens, different ones, and occurrences that the bound on memory left uncounted. */
export interface WordStatistics {
  readonly words: number;
  readonly differentWords: number;
  readonly forgottenWords: number;
}

export interface TrainedMerges extends WordStatistics {
  /** (left, right, result) triples in order, and how often each pair occurred. */
  readonly merges: Int32Array;
  readonly counts: Float64Array;
  /** New token i is bytes[ends[i-1], ends[i]). */
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

export interface TrainedPieces extends WordStatistics {
  /** Piece i is the symbols symbols[ends[i-1], ends[i]); best score first. */
  readonly symbols: Uint32Array;
  readonly ends: Uint32Array;
  /** log p of each piece, its expected occurrences, and log p of each symbol. */
  readonly scores: Float64Array;
  readonly counts: Float64Array;
  readonly symbolScores: Float64Array;
  /** Nats, of all words. */
  readonly logLikelihood: number;
}

interface TrainerOptions {
  /** Whose model says which symbols a word begins with; null: the trainer's own (BPE), characters (Unigram). */
  readonly symbols: PipelineHandle | null;
  /** Symbols that nothing is learnt of. */
  readonly inertIds: Int32Array;
  readonly tokens: PackedTokens;
  readonly minFrequency: number;
  /** Nothing is learnt of what occurs in the protected texts. */
  readonly keepOld: boolean;
}

interface TokenizerAddon {
  tokenizerCreate(description: Description): PipelineHandle;
  tokenizerEncode(pipeline: PipelineHandle, text: Text, addSpecialTokens: boolean, splitSpecialTokens: boolean): Int32Array;
  tokenizerEncodeBatch(
    pipeline: PipelineHandle,
    texts: readonly Text[],
    addSpecialTokens: boolean,
    splitSpecialTokens: boolean,
    threads: number,
    asynchronous: false,
  ): EncodedBatch;
  tokenizerEncodeBatch(
    pipeline: PipelineHandle,
    texts: readonly Text[],
    addSpecialTokens: boolean,
    splitSpecialTokens: boolean,
    threads: number,
    asynchronous: true,
  ): Promise<EncodedBatch>;
  tokenizerNormalize(pipeline: PipelineHandle, text: string): string;
  tokenizerPieces(pipeline: PipelineHandle, text: Text): string[];
  /** The model's ids of a pre-token as it is. */
  tokenizerEncodePiece(pipeline: PipelineHandle, piece: Text): Int32Array;
  trainerCreate(pipeline: PipelineHandle, maxWords: number, cutAtBlankMarks: boolean): TrainerHandle;
  trainerFeed(trainer: TrainerHandle, texts: readonly Text[], threads: number, isProtected: boolean): Promise<void>;
  /** Characters of the words, the most frequent first; 1 where a protected text has it. */
  trainerCharacters(trainer: TrainerHandle): { codePoints: Uint32Array; counts: Float64Array; isProtected: Uint8Array };
  trainerTrain(
    trainer: TrainerHandle,
    options: TrainerOptions & { readonly byteIds: Int32Array; readonly vocabSize: number; readonly numTokens: number },
  ): Promise<TrainedMerges>;
  trainerTrainUnigram(
    trainer: TrainerHandle,
    options: TrainerOptions & {
      readonly known: PackedTokens;
      readonly numPieces: number;
      readonly maxSymbols: number;
      readonly threads: number;
    },
  ): Promise<TrainedPieces>;
}

export const tokenizerAddon = (): TokenizerAddon => native<TokenizerAddon>();

/** Lays tokens end to end. */
export function packTokens(tokens: readonly (readonly [token: string | Uint8Array, id: number])[]): PackedTokens {
  const parts = tokens.map(([token]) => (typeof token === "string" ? Buffer.from(token, "utf8") : token));
  const ends = new Uint32Array(parts.length);
  let end = 0;
  parts.forEach((part, i) => {
    end += part.length;
    ends[i] = end;
  });
  const bytes = new Uint8Array(end);
  parts.forEach((part, i) => {
    bytes.set(part, ends[i]! - part.length);
  });
  return { bytes, ends, ids: Int32Array.from(tokens, ([, id]) => id) };
}
