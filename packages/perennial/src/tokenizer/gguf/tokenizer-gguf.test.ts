import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readGgufHeader, type WrittenValue } from "../../gguf/index.ts";
import { ByteTokenizer } from "../byte-tokenizer.ts";
import { loadChatTemplate } from "../chat/index.ts";
import { JsonTokenizer, loadTokenizer, openTokenizerOf, tokenizerEntries } from "../index.ts";
import { mergesOf, scoresOf } from "./scores.ts";
import {
  bareEntries,
  byteLevelNames,
  goldenTokenizer,
  hardTexts,
  pieceNames,
  ROWS,
  tokenizerFixture,
  writeVocabulary,
} from "./testing/fixtures.ts";

// Written by tools/golden/gguf-llama-cpp.ts: llama.cpp's ids of the hard texts, special tokens in them found.
const golden: Record<string, { sha256: string; ids: number[][] }> = JSON.parse(
  readFileSync(new URL("./golden/llama-cpp.json", import.meta.url), "utf8"),
);
const plain = { addSpecialTokens: false };
const idsOf = (tokenizer: JsonTokenizer) => hardTexts.map((text) => [...tokenizer.encode(text, plain)]);

let folder: string;
const file = (name: string) => join(folder, `${name}.gguf`);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perennial-gguf-tokenizer-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([...byteLevelNames, ...pieceNames])("%s", (name) => {
  const tokenizer = tokenizerFixture(name);

  test("llama.cpp's ids of every hard text, from the entries that it reads", async () => {
    writeVocabulary(file(name), bareEntries(tokenizer));
    const hash = createHash("sha256")
      .update(readFileSync(file(name)))
      .digest("hex");
    expect(hash, "the file is not the one that llama.cpp was shown: run tools/golden/gguf-llama-cpp.ts again").toBe(golden[name]!.sha256);
    const read = await loadTokenizer(file(name));
    expect(idsOf(read)).toEqual(golden[name]!.ids);
    expect(read.specialTokens).toEqual(tokenizer.specialTokens);
    expect(read.vocabSize).toBe(tokenizer.vocabSize);
    expect([...read.encode("a")]).toEqual([...tokenizer.encode("a")]);
    const { ids } = golden[name]!;
    expect(ids.map((some) => read.decode(some))).toEqual(ids.map((some) => tokenizer.decode(some)));
  });

  test("its own tokenizer.json, to the byte; not one that says something else", async () => {
    const entries = new Map(tokenizerEntries(tokenizer, ROWS));
    writeVocabulary(file(name), entries);
    const read = await loadTokenizer(file(name));
    expect(read.files.get("tokenizer.json")).toEqual(tokenizer.files.get("tokenizer.json"));
    const tokens = [...(entries.get("tokenizer.ggml.tokens") as string[])];
    tokens[ROWS - 1] = "changed later";
    entries.set("tokenizer.ggml.tokens", tokens);
    writeVocabulary(file(name), entries);
    expect((await loadTokenizer(file(name))).tokenToId("changed later")).toBe(ROWS - 1);
  });

  test("saved beside a model it opens again, with its roles and template", async () => {
    const entries = new Map<string, WrittenValue>([...bareEntries(tokenizer), ["tokenizer.chat_template", "{{ messages }}"]]);
    writeVocabulary(file(name), entries);
    const saved = join(folder, name);
    expect(loadChatTemplate(file(name))!.render([{ role: "user", content: "hi" }])).toContain("hi");
    await (await loadTokenizer(file(name))).save(saved);
    const opened = await loadTokenizer(saved);
    expect(idsOf(opened)).toEqual(golden[name]!.ids);
    expect(opened.specialTokens).toEqual(tokenizer.specialTokens);
    // And its template goes out again.
    expect(tokenizerEntries(opened, ROWS).get("tokenizer.chat_template")).toBe("{{ messages }}");
  });
});

test("bytes as tokens", async () => {
  const bytes = new ByteTokenizer();
  writeVocabulary(file("bytes"), tokenizerEntries(bytes, 320));
  const read = await openTokenizerOf(file("bytes"));
  for (const text of hardTexts) {
    // A text that spells a special token is that token there.
    if (/<pad>|<\/s>|<unk>/.test(text)) continue;
    expect([...read.encode(text, plain)]).toEqual([...bytes.encode(text, plain)]);
    expect(read.decode(read.encode(text, plain))).toBe(text);
  }
  expect(read.specialTokens).toEqual(bytes.specialTokens);
});

test("what llama.cpp cannot do is refused, with the field", () => {
  const refused = (name: string, change?: Parameters<typeof goldenTokenizer>[1]) => () =>
    tokenizerEntries(goldenTokenizer(name, change), ROWS);
  expect(refused("xlmr")).toThrow(/tokenizer.json model.type: expected BPE/);
  expect(refused("bert")).toThrow(/model.type: expected BPE/);
  expect(refused("clip")).toThrow(/end_of_word_suffix: expected nothing, for GGUF/);
  expect(refused("roberta")).toThrow(/pre_tokenizer: expected one that llama.cpp knows by name/);
  expect(refused("tekken", (json) => ({ ...json, model: { ...json.model, ignore_merges: false } }))).toThrow(
    /ignore_merges: expected true/,
  );
  expect(refused("llama2")).toThrow(/model.merges: expected a merge of "..*" and "..*", as SentencePiece has it/);
  expect(refused("gpt2", (json) => ({ ...json, normalizer: { type: "Lowercase" } }))).toThrow(/normalizer: expected none, or NFC/);
  expect(() => tokenizerEntries(goldenTokenizer("gpt2"), 10)).toThrow(/at most 10 tokens/);
});

test("what cannot be read is refused, with the key", async () => {
  const refused = async (key: string, value: WrittenValue | undefined) => {
    const entries = new Map(bareEntries(tokenizerFixture(key.endsWith("scores") ? "llama2" : "gpt2")));
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
    writeVocabulary(file("bad"), entries);
    return loadTokenizer(file("bad"));
  };
  await expect(refused("tokenizer.ggml.model", "bert")).rejects.toThrow(
    /bad.gguf tokenizer.ggml.model: expected gpt2 or llama, received "bert"/,
  );
  await expect(refused("tokenizer.ggml.pre", "mine")).rejects.toThrow(/tokenizer.ggml.pre: expected one of gpt-2, .*received "mine"/);
  await expect(refused("tokenizer.ggml.tokens", ["a", "a"])).rejects.toThrow(/token_type: expected a list of 2 numbers/);
  await expect(refused("tokenizer.ggml.token_type", undefined)).resolves.toBeInstanceOf(JsonTokenizer);
  await expect(refused("tokenizer.ggml.merges", undefined)).rejects.toThrow(/merges: expected a list of texts, received null/);
  await expect(refused("tokenizer.ggml.merges", ["no such"])).rejects.toThrow(/merges: expected only tokens of the vocabulary/);
  await expect(refused("tokenizer.ggml.scores", undefined)).rejects.toThrow(/scores: expected a score for each token, received null/);
  writeFileSync(file("empty"), "");
  await expect(loadTokenizer(file("empty"))).rejects.toThrow(/empty.gguf \(byte 0\) magic/);
  expect(readGgufHeader(file("bad")).metadata.has("tokenizer.ggml.tokens")).toBe(true);
});

test("scores order pieces as their merges do, and the merges come back", () => {
  const ids = new Map(["a", "b", "c", "ab", "abc", "bc", "x😀", "x", "😀"].map((piece, id) => [piece, id]));
  const merges = mergesOf(ids, [0, 0, 0, -2, -3, -1, -4, 0, 0]);
  // bc before ab; both cuts of abc; 😀 is not cut into halves.
  expect(merges).toEqual([
    ["b", "c"],
    ["a", "b"],
    ["a", "bc"],
    ["ab", "c"],
    ["x", "😀"],
  ]);
  const { scores, missing } = scoresOf(ids, merges);
  expect(missing).toBeUndefined();
  expect(mergesOf(ids, [...scores])).toEqual(merges);
  expect(
    scoresOf(
      ids,
      merges.filter(([left]) => left !== "ab"),
    ).missing,
  ).toEqual(["ab", "c"]);
});
