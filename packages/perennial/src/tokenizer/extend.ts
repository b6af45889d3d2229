/**
 * True extension of a byte-level BPE vocabulary: merges learnt on new text, starting from the tokens that the old vocabulary
 * gives, are appended behind the old merges. BPE applies the merge of lowest rank first, so
 *    encode_new(text) = new merges applied to encode_old(text)
 * and text in which no new pair occurs keeps its ids exactly; every old id keeps its meaning, new ids follow the last old one.
 * With `keep` no merge is learnt of a pair that occurs in those old texts, so that they keep their ids for certain;
 * without it `changedTexts` and `changedTokens` of the report say what changed.
 */
import { availableParallelism } from "node:os";
import { FieldError } from "../errors.ts";
import { bytesToCharacters, charactersToBytes } from "./byte-characters.ts";
import type { JsonTokenizer } from "./json-tokenizer.ts";
import { packTokens, type Text, tokenizerAddon } from "./native.ts";
import { feed, MAX_WORDS, tokenizerOf, unpack } from "./train.ts";

export interface ExtendTokenizerOptions {
  readonly newTokens: number;
  readonly minFrequency?: number;
  /** Old texts whose ids must stay as they are. */
  readonly keep?: AsyncIterable<Text> | Iterable<Text>;
  readonly threads?: number;
  readonly maxWords?: number;
}

export interface ExtendedTokenizer {
  readonly tokenizer: JsonTokenizer;
  readonly oldVocabSize: number;
  readonly newVocabSize: number;
  /** New tokens and how often each one's pair occurred when it was learnt. */
  readonly learnt: readonly { readonly token: string; readonly id: number; readonly count: number }[];
}

export async function extendTokenizer(
  old: JsonTokenizer,
  texts: AsyncIterable<Text> | Iterable<Text>,
  options: ExtendTokenizerOptions,
): Promise<ExtendedTokenizer> {
  const { newTokens, minFrequency = 2, keep, threads = availableParallelism(), maxWords = MAX_WORDS } = options;
  const { model, added } = old.description;
  if (model.type !== "bpe" || !model.byteLevel)
    throw new FieldError("TOKENIZER_EXTEND", { at: "model", expected: "a byte-level BPE vocabulary", received: model.type });
  if (!Number.isSafeInteger(newTokens) || newTokens < 1)
    throw new FieldError("TOKENIZER_EXTEND", { at: "newTokens", expected: "a number above 0", received: newTokens });
  const addon = tokenizerAddon();
  const trainer = addon.trainerCreate(old.pipeline, maxWords);
  await feed(trainer, texts, threads, false);
  if (keep !== undefined) await feed(trainer, keep, threads, true);
  const oldModel = old.json.model as { vocab: Record<string, number>; merges: unknown[] };
  const tokens: [Uint8Array, number][] = Object.entries(oldModel.vocab).map(([token, id]) => [
    charactersToBytes(token) ?? Buffer.from(token, "utf8"),
    id,
  ]);
  // Added tokens beyond the model's own hold their ids; no merge may give them.
  for (const token of added) if (!Object.hasOwn(oldModel.vocab, token.content)) tokens.push([Buffer.from(token.content, "utf8"), token.id]);
  const trained = await addon.trainerTrain(trainer, {
    tokens: packTokens(tokens),
    byteIds: new Int32Array(0),
    vocabSize: tokens.length + newTokens,
    numTokens: tokens.length,
    minFrequency,
    keepOld: keep !== undefined,
  });
  const names = new Map(Object.entries(oldModel.vocab).map(([token, id]) => [id, token]));
  for (const token of added) names.set(token.id, token.content);
  unpack(trained.bytes, trained.ends).forEach((bytes, i) => {
    names.set(old.vocabSize + i, bytesToCharacters(bytes));
  });
  const pairsAsText = oldModel.merges.every((merge) => typeof merge === "string") && oldModel.merges.length > 0;
  const merges: unknown[] = [];
  const learnt: { token: string; id: number; count: number }[] = [];
  for (let i = 0; i < trained.merges.length; i += 3) {
    const [left, right, id] = [trained.merges[i]!, trained.merges[i + 1]!, trained.merges[i + 2]!];
    merges.push(pairsAsText ? `${names.get(left)} ${names.get(right)}` : [names.get(left), names.get(right)]);
    if (id >= old.vocabSize) learnt.push({ token: names.get(id)!, id, count: trained.counts[i / 3]! });
  }
  // The model's vocabulary must be without gaps for added tokens to keep their ids, so those beyond it move in.
  const vocab = Object.fromEntries([...names].sort(([a], [b]) => a - b).map(([id, token]) => [token, id]));
  const json = { ...old.json, model: { ...oldModel, vocab, merges: [...oldModel.merges, ...merges] } };
  const tokenizer = tokenizerOf(json);
  return { tokenizer, oldVocabSize: old.vocabSize, newVocabSize: tokenizer.vocabSize, learnt };
}

export interface Changes {
  readonly texts: number;
  readonly changedTexts: number;
  readonly oldTokens: number;
  readonly newTokens: number;
  /** Share of the old tokens that are no longer there, 0–1. */
  readonly changedTokens: number;
}

/** What an extension changes on old texts. */
export function compareTokenizers(old: JsonTokenizer, extended: JsonTokenizer, texts: Iterable<Text>): Changes {
  const plain = { addSpecialTokens: false };
  const sum = { texts: 0, changedTexts: 0, oldTokens: 0, newTokens: 0, kept: 0 };
  for (const text of texts) {
    const [before, after] = [old.encode(text, plain), extended.encode(text, plain)];
    sum.texts++;
    sum.oldTokens += before.length;
    sum.newTokens += after.length;
    if (Buffer.compare(Buffer.from(before.buffer), Buffer.from(after.buffer)) !== 0) sum.changedTexts++;
    for (const id of after) if (id < old.vocabSize) sum.kept++;
  }
  const { kept, ...counts } = sum;
  return { ...counts, changedTokens: sum.oldTokens === 0 ? 0 : 1 - kept / sum.oldTokens };
}
