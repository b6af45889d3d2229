/**
 * New merges behind the old ones. BPE applies the merge of lowest rank first, so
 *    encode_new(text) = new merges applied to encode_old(text)
 * and text in which no new pair occurs keeps its ids exactly. With `keepOld` no merge is learnt of a pair that occurs in the
 * protected texts. Of a vocabulary of characters no merge takes part in a byte of its fallback: the decoder could not undo it.
 */
import { bytesToCharacters, charactersToBytes } from "./byte-characters.ts";
import type { LearnOptions, Learnt } from "./extend.ts";
import { extendedJson } from "./extended-json.ts";
import { packTokens, tokenizerAddon } from "./native.ts";
import { splitAt } from "./trainer.ts";

export async function learnMerges({ base, trainer, newTokens, minFrequency, keepOld, inertIds }: LearnOptions): Promise<Learnt> {
  const { model } = base.description;
  const byteLevel = model.type === "bpe" && model.byteLevel;
  const utf8 = (token: string) => Buffer.from(token, "utf8");
  const tokens: [Uint8Array, number][] = [];
  const names: string[] = [];
  for (let id = 0; id < base.vocabSize; id++) {
    const token = base.idToToken(id);
    if (token === undefined) continue;
    names[id] = token;
    tokens.push([(byteLevel ? charactersToBytes(token) : undefined) ?? utf8(token), id]);
  }
  const trained = await tokenizerAddon().trainerTrain(trainer, {
    symbols: base.pipeline,
    inertIds,
    tokens: packTokens(tokens),
    byteIds: new Int32Array(0),
    vocabSize: tokens.length + newTokens,
    numTokens: tokens.length,
    minFrequency,
    keepOld,
  });
  const fresh = splitAt(trained.bytes, trained.ends).map((bytes) =>
    byteLevel ? bytesToCharacters(bytes) : Buffer.from(bytes).toString("utf8"),
  );
  names.push(...fresh);
  const merges: [string, string][] = [];
  const learnt: { token: string; id: number; count: number }[] = [];
  for (let i = 0; i < trained.merges.length; i += 3) {
    const [left, right, id] = [trained.merges[i]!, trained.merges[i + 1]!, trained.merges[i + 2]!];
    merges.push([names[left]!, names[right]!]);
    // A token may come of two merges; the first made it.
    if (id === base.vocabSize + learnt.length) learnt.push({ token: names[id]!, id, count: trained.counts[i / 3]! });
  }
  const { words, differentWords, forgottenWords } = trained;
  const json = extendedJson(
    base,
    fresh.map((token) => ({ token })),
    merges,
  );
  return { json, learnt, statistics: { words, differentWords, forgottenWords } };
}
