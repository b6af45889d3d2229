import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareTokenizers } from "./changes.ts";
import { extendTokenizer } from "./extend.ts";
import { fertility, parity } from "./fertility.ts";
import { JsonTokenizer } from "./json-tokenizer.ts";
import { loadTokenizer } from "./load.ts";
import type { PreTokenizerStep } from "./native.ts";
import { packTokens, tokenizerAddon } from "./native.ts";
import { compileRegex } from "./regex.ts";
import { KNOWN_PATTERNS } from "./steps.ts";
import { DecodeStream } from "./tokenizer.ts";
import { trainTokenizer } from "./train.ts";
import { tokenizerOf } from "./trainer.ts";

const folder = new URL("golden/", import.meta.url);
const golden = (name: string) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
const open = (name: string) => tokenizerOf(golden(name).tokenizer);
const hardTexts: string[] = golden("texts");
const plain = { addSpecialTokens: false };

/** Text that is rich in what the patterns treat specially. */
const trickyText = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(" ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "'ſ", "a", "B", "ǅ", "é", "e\u0301", "日本", "ʰ", "½", "٣", "12", "…", "/", "_", "\u00a0", "\u3000", "🙂", "\u200d", "\u0e33") },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 3 }) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join("")); // biome-ignore format: a table

function cutter(step: PreTokenizerStep) {
  const empty = packTokens([["x", 0]]);
  const pipeline = tokenizerAddon().tokenizerCreate({
    model: { type: "wordlevel", vocab: empty, unkId: 0 },
    added: [],
    normalizers: [],
    steps: [step],
    prefix: new Int32Array(0),
    suffix: new Int32Array(0),
  });
  return (text: string) => tokenizerAddon().tokenizerPieces(pipeline, text);
}

test.each([...KNOWN_PATTERNS])("the hand-written matcher equals the regular expression %s", (pattern, known) => {
  const fast = cutter(known);
  const plainReference = cutter({ type: "Pattern", behavior: "Isolated", invert: false, regex: compileRegex(pattern) });
  const agree = (text: string) => {
    expect(fast(text)).toEqual(plainReference(text));
  };
  hardTexts.forEach(agree);
  fc.assert(fc.property(trickyText, agree), { numRuns: 500 });
});

test("patterns use Oniguruma's constructs", () => {
  const pieces = (pattern: string, text: string) =>
    cutter({ type: "Pattern", behavior: "Removed", invert: true, regex: compileRegex(pattern) })(text);
  expect(pieces("a++ab|(?>x|xy)z", "aab xyz xz")).toEqual(["xz"]);
  expect(pieces("x{2,3}?|y{2,3}", "xxxxx yyyyy")).toEqual(["xx", "xx", "yyy", "yy"]);
  expect(pieces("(?<=a)b|(?<!a)c|d(?=e)", "ab ac bc de df")).toEqual(["b", "c", "d"]);
  expect(pieces("[a-z&&[^aeiou]]+|[\\p{Han}]+", "banana 漢字 ab")).toEqual(["b", "n", "n", "漢字", "b"]);
  expect(pieces("(?i:straße|K)", "STRAßE k \u212a")).toEqual(["STRAßE", "k", "\u212a"]);
  expect(pieces("\\bfoo\\b|^\\d+$", "foo food\n12\n3a")).toEqual(["foo", "12"]);
  for (const bad of ["(", "[a", "a**b(", "(a*)*", "\\1", "(?<n>a)", "*a", "\\p{Nope}", "a{2,1}", "(?<=a+)b"])
    expect(() => compileRegex(bad)).toThrow();
});

test.each(["gpt2", "llama3", "qwen2", "o200k", "tekken", "smollm"])("%s: decode undoes encode", (name) => {
  const tokenizer = open(name);
  const normal = (text: string) => (name === "qwen2" ? text.normalize("NFC") : text);
  fc.assert(
    fc.property(trickyText, (text) => {
      const wellFormed = Buffer.from(text, "utf8").toString("utf8");
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(normal(wellFormed));
    }),
    { numRuns: 300 },
  );
});

test("ill-formed text is read as U+FFFD", () => {
  const tokenizer = open("gpt2");
  expect(tokenizer.encode("a\ud800b")).toEqual(tokenizer.encode("a\ufffdb"));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      expect(tokenizer.encode(bytes)).toEqual(tokenizer.encode(text));
      expect(tokenizer.decode(tokenizer.encode(bytes))).toBe(text);
    }),
  );
});

test.each(["gpt2", "llama2", "t5", "bert", "no-fallback"])("%s: a megabyte without a blank is encoded in one go", (name) => {
  const tokenizer = open(name);
  const ids = tokenizer.encode("ab".repeat(500_000), plain);
  expect(ids.length).toBeGreaterThan(0);
  if (name === "gpt2") expect(tokenizer.decode(ids)).toBe("ab".repeat(500_000));
});

test("a stream gives the whole text, never half a character", () => {
  for (const name of ["gpt2", "llama2", "unigram-bytes"]) {
    const tokenizer = open(name);
    for (const text of ["héllo 👨‍👩‍👧‍👦 world 你好", " two  blanks", ""]) {
      const ids = tokenizer.encode(text, plain);
      const stream = new DecodeStream(tokenizer);
      const parts = Array.from(ids, (id) => stream.push(id));
      expect(parts.every((part) => !part.includes("\ufffd"))).toBe(true);
      expect(parts.join("") + stream.end()).toBe(tokenizer.decode(ids));
    }
  }
});

test("special tokens can be kept as text, and are left out on request", () => {
  const tokenizer = open("gpt2");
  const end = tokenizer.tokenToId("<|endoftext|>")!;
  expect([...tokenizer.encode("a<|endoftext|>")]).toContain(end);
  expect([...tokenizer.encode("a<|endoftext|>", { splitSpecialTokens: true })]).not.toContain(end);
  expect(tokenizer.decode([end, ...tokenizer.encode("a")], { skipSpecialTokens: true })).toBe("a");
});

test("a folder is loaded with its roles and saved byte for byte", async () => {
  const root = mkdtempSync(join(tmpdir(), "tokenizer-"));
  const text = `${JSON.stringify({ ...golden("gpt2").tokenizer, unknown_key: [1] })}\n \n`;
  writeFileSync(join(root, "tokenizer.json"), text);
  writeFileSync(join(root, "tokenizer_config.json"), '{"eos_token": {"content": "<|endoftext|>"}, "mine": 1}');
  writeFileSync(join(root, "generation_config.json"), '{"eos_token_id": [0, 1]}');
  const tokenizer = await loadTokenizer(root);
  expect(tokenizer.specialTokens).toEqual({ bos: undefined, eos: 0, pad: undefined, unk: undefined });
  expect(tokenizer.endIds).toEqual([0, 1]);
  await tokenizer.save(join(root, "copy"));
  expect(readFileSync(join(root, "copy/tokenizer.json"), "utf8")).toBe(text);
  expect(readFileSync(join(root, "copy/tokenizer_config.json"), "utf8")).toContain('"mine": 1');
  expect((await loadTokenizer(join(root, "copy/tokenizer.json"))).hash).toBe(tokenizer.hash);
  await expect(loadTokenizer(join(root, "none"))).rejects.toThrow(/no such file/);
});

test("what is not supported or damaged is an error that names the field", () => {
  const base = golden("gpt2").tokenizer;
  const broken = (change: object) => () => tokenizerOf({ ...base, ...change });
  expect(broken({ normalizer: { type: "Magic" } })).toThrow(/normalizer\.type: expected a supported normalizer, received "Magic"/);
  expect(broken({ pre_tokenizer: { type: "Split", pattern: { Regex: "(a" }, behavior: "Isolated", invert: false } })).toThrow(
    /pattern\.Regex/,
  );
  expect(broken({ model: { ...base.model, dropout: 0.1 } })).toThrow(/model\.dropout/);
  expect(broken({ model: { ...base.model, merges: [["q", "nope"]] } })).toThrow(/model\.merges/);
  expect(broken({ model: { ...base.model, vocab: { a: -1 } } })).toThrow(/vocab/);
  expect(broken({ added_tokens: [{ id: 9999, content: "<new>", special: true }] })).toThrow(/added_tokens\[0\]\.id/);
  expect(broken({ decoder: { type: "Nope" } })).toThrow(/decoder\.type/);
  expect(() => new JsonTokenizer(new Map([["tokenizer.json", Buffer.from("{")]]))).toThrow(/expected JSON/);
});

test("a damaged description is an error or works, but never crashes", () => {
  const text = JSON.stringify(golden("t5").tokenizer);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.length - 1 }), fc.constantFrom("0", "-1", '"', "}", "null", "9".repeat(12)), (at, bad) => {
      try {
        new JsonTokenizer(new Map([["tokenizer.json", Buffer.from(text.slice(0, at) + bad + text.slice(at + 1))]])).encode("Ａ a\u0301 x");
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 200 },
  );
});

// Hugging Face's BpeTrainer gives these merges for this text (tools/golden/tokenizer.py, merges.json).
test("training gives the reference's merges, whatever the threads", async () => {
  const { texts, merges, vocabSize } = JSON.parse(readFileSync(new URL("training/merges.json", folder), "utf8"));
  for (const threads of [1, 3]) {
    const { tokenizer, words } = await trainTokenizer(texts, { vocabSize, threads });
    expect((tokenizer.json.model as { merges: unknown }).merges).toEqual(merges);
    expect(tokenizer.vocabSize).toBe(vocabSize);
    expect(words).toBeGreaterThan(0);
    expect(tokenizer.decode(tokenizer.encode(texts[0]))).toBe(texts[0]);
  }
  const bounded = await trainTokenizer(texts, { vocabSize, threads: 1, maxWords: 20 });
  expect(bounded.forgottenWords).toBeGreaterThan(0);
  expect(bounded.differentWords).toBeLessThanOrEqual(20);
  await expect(trainTokenizer(texts, { vocabSize: 100 })).rejects.toThrow(/vocabSize: expected at least 257/);
});

test("an extension keeps old ids, shortens new text and can leave old texts alone", async () => {
  const old = open("llama3");
  const oldTexts = hardTexts.slice(5, 15);
  const newTexts = Array.from({ length: 20 }, () => "azul fell-awen tafukt tameqqrant tafukt azul the world");
  const free = await extendTokenizer(old, newTexts, { newTokens: 20 });
  expect(free.oldVocabSize).toBe(500);
  expect(free.newVocabSize).toBe(500 + free.learnt.length);
  expect(free.learnt.length).toBeGreaterThan(5);
  expect(free.tokenizer.encode(newTexts[0]!).length).toBeLessThan(old.encode(newTexts[0]!).length);
  for (let id = 0; id < 500; id++) expect(free.tokenizer.idToToken(id)).toBe(old.idToToken(id));
  for (const text of newTexts) expect(free.tokenizer.decode(free.tokenizer.encode(text))).toBe(text);
  const kept = await extendTokenizer(old, newTexts, { newTokens: 20, keep: oldTexts });
  expect(compareTokenizers(old, kept.tokenizer, oldTexts)).toMatchObject({ texts: 10, changedTexts: 0, changedTokens: 0 });
  expect(compareTokenizers(old, free.tokenizer, newTexts).changedTokens).toBeGreaterThan(0);
});

test("fertility by hand", () => {
  const vocab = { "[UNK]": 0, ab: 1, cd: 2 };
  const tokenizer = tokenizerOf({
    version: "1.0",
    pre_tokenizer: { type: "Whitespace" },
    model: { type: "WordLevel", vocab, unk_token: "[UNK]" },
  });
  const result = fertility(tokenizer, ["ab cd", "ab é"], "en");
  expect(result).toMatchObject({
    texts: 2,
    words: 4,
    tokens: 4,
    bytes: 10,
    characters: 9,
    fertility: 1,
    bytesPerToken: 2.5,
    splitWords: 0,
  });
  expect(fertility(open("gpt2"), ["नमस्ते दुनिया"], "hi")).toMatchObject({ coverage: 1, words: 2, splitWords: 1 });
  expect(parity({ en: 100, hi: 250 }, "en")).toEqual({ en: 1, hi: 2.5 });
});

test("a trained tokenizer ends documents with its first special token, also after saving and loading", async () => {
  const { tokenizer } = await trainTokenizer(["to be or not to be"], { vocabSize: 262, specialTokens: ["<|end|>", "<|pad|>"] });
  expect(tokenizer.specialTokens.eos).toBe(0);
  const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
  await tokenizer.save(folder);
  const loaded = await loadTokenizer(folder);
  expect(loaded.specialTokens).toMatchObject({ bos: 0, eos: 0 });
  expect(loaded.endIds).toEqual([0]);
  rmSync(folder, { recursive: true });
});
