/**
 * True extension of a vocabulary: tokens learnt on new text, built of the tokens that the old vocabulary gives, behind the
 * last old id. Every old id keeps its meaning, and old text keeps its ids where none of it can be joined to a new token;
 * `compareTokenizers` says where not. With `keep` nothing is learnt that would change those old texts.
 *    byte-level BPE          new merges behind the old ones                               extend-bpe.ts
 *    BPE of characters       the same, after the characters that the vocabulary lacks     (Llama 2, Gemma; with byte fallback)
 *    Unigram                 new pieces by EM, with scores that leave old text alone      extend-unigram.ts
 */
import { availableParallelism } from "node:os";
import { FieldError } from "../errors.ts";
import { learnMerges } from "./extend-bpe.ts";
import { learnPieces } from "./extend-unigram.ts";
import { extendedJson } from "./extended-json.ts";
import { extensionFile } from "./extension-file.ts";
import type { JsonTokenizer } from "./json-tokenizer.ts";
import { missingCharacters } from "./missing-characters.ts";
import { type Text, type TrainerHandle, tokenizerAddon, type WordStatistics } from "./native.ts";
import { feed, MAX_WORDS } from "./trainer.ts";

export interface ExtendTokenizerOptions {
  /** At most so many; fewer come out where the text has no more that are worth it. */
  readonly newTokens: number;
  /** What occurs less often becomes no token. */
  readonly minFrequency?: number;
  /** Share of the new text's characters that have a token of their own, 0–1; of vocabularies of characters. */
  readonly characterCoverage?: number;
  /** Old texts whose ids must stay as they are. */
  readonly keep?: AsyncIterable<Text> | Iterable<Text>;
  readonly threads?: number;
  readonly maxWords?: number;
}

export interface ExtendedTokenizer extends WordStatistics {
  readonly tokenizer: JsonTokenizer;
  readonly oldVocabSize: number;
  readonly newVocabSize: number;
  /** New tokens, and how often each one, or the pair it came of, occurred when it was learnt. */
  readonly learnt: readonly LearntToken[];
}

export interface LearntToken {
  readonly token: string;
  readonly id: number;
  readonly count: number;
}

/** What a way of learning is given. */
export interface LearnOptions {
  /** The old tokenizer with the characters that it lacked. */
  readonly base: JsonTokenizer;
  /** Fed with the texts. */
  readonly trainer: TrainerHandle;
  readonly newTokens: number;
  readonly minFrequency: number;
  readonly keepOld: boolean;
  /** Tokens that nothing is built of: special ones, unknown, bytes of a fallback. */
  readonly inertIds: Int32Array;
  readonly threads: number;
}

export interface Learnt {
  /** tokenizer.json */
  readonly json: object;
  readonly learnt: readonly LearntToken[];
  readonly statistics: WordStatistics;
}

export async function extendTokenizer(
  old: JsonTokenizer,
  texts: AsyncIterable<Text> | Iterable<Text>,
  options: ExtendTokenizerOptions,
): Promise<ExtendedTokenizer> {
  const { newTokens, ...rest } = options;
  checkNewTokens(newTokens);
  return (await readForExtension(old, texts, rest)).learn(newTokens);
}

/** Texts that were read and counted: extensions of several sizes come of one reading. */
export interface ExtensionTexts {
  /** `keepOld`: learn nothing that changes the texts of `keep`; where there are such, that is the default. */
  learn(newTokens: number, keepOld?: boolean): Promise<ExtendedTokenizer>;
}

export async function readForExtension(
  old: JsonTokenizer,
  texts: AsyncIterable<Text> | Iterable<Text>,
  options: Omit<ExtendTokenizerOptions, "newTokens"> = {},
): Promise<ExtensionTexts> {
  const { minFrequency = 2, characterCoverage = 0.9995, keep, maxWords = MAX_WORDS, threads = availableParallelism() } = options;
  const { model } = old.description;
  if ((model.type !== "bpe" && model.type !== "unigram") || (model.type === "bpe" && (model.prefix !== "" || model.suffix !== "")))
    throw new FieldError("TOKENIZER_EXTEND", {
      at: "tokenizer.json model",
      expected: "BPE without marks of word parts, or Unigram",
      received: model.type === "bpe" ? { ...model, vocab: undefined, merges: undefined } : model.type,
      todo: "train a tokenizer of its own instead",
    });
  const byteLevel = model.type === "bpe" && model.byteLevel;
  const trainer = tokenizerAddon().trainerCreate(old.pipeline, maxWords, !byteLevel);
  await feed(trainer, texts, threads, false);
  if (keep !== undefined) await feed(trainer, keep, threads, true);
  return {
    async learn(newTokens, keepOld = keep !== undefined) {
      checkNewTokens(newTokens);
      const shared = { minFrequency, keepOld, inertIds: inertIds(old) };
      const missing = byteLevel ? [] : missingCharacters(old, trainer, { ...shared, coverage: characterCoverage }).slice(0, newTokens);
      // As unlikely as the least likely token, so that the price of an unknown character stays as it was.
      const score = model.type === "unigram" ? model.scores.reduce((least, one) => Math.min(least, one), 0) : undefined;
      const entries = missing.map(({ character }) => ({ token: character, ...(score === undefined ? {} : { score }) }));
      const base = missing.length === 0 ? old : old.withVocabulary(extendedJson(old, entries));
      const learnNew = model.type === "unigram" ? learnPieces : learnMerges;
      const result = await learnNew({ ...shared, base, trainer, newTokens: newTokens - missing.length, threads });
      const oldVocabSize = old.vocabSize;
      const newVocabSize = base.vocabSize + result.learnt.length;
      return {
        ...result.statistics,
        tokenizer: old.withVocabulary(result.json, extensionFile({ oldVocabSize, newVocabSize })),
        oldVocabSize,
        newVocabSize,
        learnt: [...missing.map(({ character, count }, i) => ({ token: character, id: oldVocabSize + i, count })), ...result.learnt],
      };
    },
  };
}

function checkNewTokens(newTokens: number): void {
  if (!Number.isSafeInteger(newTokens) || newTokens < 1)
    throw new FieldError("TOKENIZER_EXTEND", { at: "newTokens", expected: "a number above 0", received: newTokens });
}

function inertIds(tokenizer: JsonTokenizer): Int32Array {
  const ids = tokenizer.description.added.map(({ id }) => id);
  for (let byte = 0; byte < 256; byte++) {
    const id = tokenizer.tokenToId(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    if (id !== undefined) ids.push(id);
  }
  const { model } = tokenizer.description;
  if ("unkId" in model && model.unkId >= 0) ids.push(model.unkId);
  return Int32Array.from(ids);
}
