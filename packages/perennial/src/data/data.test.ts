import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findInputs } from "../corpus/formats/index.ts";
import { stream } from "../stream.ts";
import { ByteTokenizer, type Tokenizer } from "../tokenizer/index.ts";
import { byteTokenizer } from "./byte-tokenizer.conformance.ts";
import { estimateTokens } from "./estimate-tokens.ts";
import { HeldOutBytes, heldOutHash } from "./held-out.ts";
import { partPath, readHeader } from "./shard-header.ts";
import { documentStart, MemoryCorpus, ShardedCorpus, type TokenCorpus } from "./token-corpus.ts";
import { type TokenizeOptions, tokenizeCorpus } from "./tokenize-corpus.ts";
import { batchTokenizerOf } from "./tokenizer.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shards-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
/** A fresh folder with the texts in two JSONL files, and the options to tokenize them. */
function corpusOf(texts: readonly string[], more: Partial<TokenizeOptions> = {}): TokenizeOptions {
  const root = join(folder, String(made++));
  mkdirSync(join(root, "in"), { recursive: true });
  const half = texts.length >> 1;
  for (const [name, part] of [["a", texts.slice(0, half)] as const, ["b", texts.slice(half)] as const])
    writeFileSync(join(root, "in", `${name}.jsonl`), part.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  return { paths: [join(root, "in")], shardsFolder: join(root, "shards"), tokenizer: byteTokenizer(), ...more };
}

const someTexts = (count: number, seed = 1): string[] => {
  const random = stream(seed, "texts");
  return Array.from({ length: count }, (_, i) => `${i} ${"añ".repeat(random.integer(40))}`);
};

function textsOf(corpus: TokenCorpus): string[] {
  return Array.from({ length: corpus.numDocuments }, (_, d) => {
    const [start, end] = [documentStart(corpus, d), corpus.documentEnd(d)];
    const ids = new Int32Array(end - start);
    corpus.read(start, end - start, ids, 0);
    if (ids.at(-1) !== 256 || corpus.documentBytes(d) !== end - start - 1) throw new Error(`document ${d} has no end or wrong bytes`);
    return Buffer.from(ids.subarray(0, -1)).toString();
  });
}

test("shards hold every document once, in order, whatever the size of parts and batches", async () => {
  const texts = someTexts(60);
  for (const sizes of [{}, { partTokens: 500, batchCharacters: 100 }, { partTokens: 1, batchCharacters: 1 }]) {
    const corpus = ShardedCorpus.open(await tokenizeCorpus(corpusOf(texts, sizes)));
    expect(textsOf(corpus)).toEqual(texts);
    expect(corpus.textBytes).toBe(Buffer.byteLength(texts.join("")));
    for (let d = 0; d < corpus.numDocuments; d += 7) {
      expect(corpus.documentAt(documentStart(corpus, d))).toBe(d);
      expect(corpus.documentAt(corpus.documentEnd(d) - 1)).toBe(d);
    }
    corpus.close();
  }
});

test("ranges that cross parts equal the same ranges in memory", async () => {
  const texts = someTexts(100);
  const options = corpusOf(texts, { partTokens: 300, batchCharacters: 50, tokenizer: byteTokenizer({ vocabSize: 70_000 }) });
  const corpus = ShardedCorpus.open(await tokenizeCorpus(options));
  const memory = new MemoryCorpus(texts.map((text) => [...Buffer.from(text), 256]));
  expect(corpus.numTokens).toBe(memory.numTokens);
  expect(readHeader(await tokenizeCorpus(options))).toMatchObject({ dtype: "uint32" });
  fc.assert(
    fc.property(fc.nat({ max: memory.numTokens }), fc.nat({ max: memory.numTokens }), (a, b) => {
      const [start, count] = [Math.min(a, b), Math.abs(a - b)];
      const [got, want] = [new Int32Array(count + 1), new Int32Array(count + 1)];
      corpus.read(start, count, got, 1);
      memory.read(start, count, want, 1);
      expect(got).toEqual(want);
      if (start < memory.numTokens) expect(corpus.documentAt(start)).toBe(memory.documentAt(start));
    }),
  );
  expect(() => corpus.read(corpus.numTokens, 1, new Int32Array(1), 0)).toThrow(RangeError);
});

test("unchanged inputs are not tokenized again; a changed text, tokenizer or option is", async () => {
  let calls = 0;
  const { encodeBatch } = byteTokenizer();
  const counting = byteTokenizer({
    encodeBatch(texts) {
      calls++;
      return encodeBatch(texts);
    },
  });
  const options = corpusOf(someTexts(20), { tokenizer: counting });
  const first = await tokenizeCorpus(options);
  expect(await tokenizeCorpus(options)).toBe(first);
  expect(calls).toBe(1);
  expect(await tokenizeCorpus({ ...options, tokenizer: { ...counting, hash: "other" } })).not.toBe(first);
  expect(await tokenizeCorpus({ ...options, appendTokenId: null })).not.toBe(first);
  writeFileSync(join(options.paths[0]!, "c.jsonl"), '{"text":"more"}\n{broken\n');
  const more = await tokenizeCorpus(options);
  expect(more).not.toBe(first);
  expect(calls).toBe(4);
  expect(readHeader(more).rejected).toEqual({ "invalid-json": 1 });
  expect(readFileSync(join(more, "rejected-00000.jsonl"), "utf8")).toContain('"reason":"invalid-json"');
  expect(readdirSync(options.shardsFolder).filter((name) => name.includes("partial"))).toEqual([]);
});

test("held-out texts are those of lowest hash: disjoint from training, independent of order, about as many as asked for", async () => {
  const texts = someTexts(2000);
  const split = async (order: string[], heldOut: { share: number } | { bytes: number }) => {
    const made = await tokenizeCorpus(corpusOf(order, { heldOut, partTokens: 20_000, batchCharacters: 5000 }));
    return { train: textsOf(ShardedCorpus.open(made)), heldOut: textsOf(ShardedCorpus.open(made, "held-out")) };
  };
  const byShare = await split(texts, { share: 0.1 });
  expect(byShare.heldOut.length).toBeGreaterThan(150);
  expect(byShare.heldOut.length).toBeLessThan(250);
  expect([...byShare.train, ...byShare.heldOut].sort()).toEqual([...texts].sort());
  expect([...(await split(texts.toReversed(), { share: 0.1 })).heldOut].sort()).toEqual([...byShare.heldOut].sort());

  const byBytes = await split(texts, { bytes: 5000 });
  const bytes = (some: string[]) => Buffer.byteLength(some.join(""));
  const last = byBytes.heldOut.toSorted((a, b) => heldOutHash(a) - heldOutHash(b)).at(-1)!;
  expect(bytes(byBytes.heldOut)).toBeGreaterThanOrEqual(5000);
  expect(bytes(byBytes.heldOut) - bytes([last])).toBeLessThan(5000);
  expect(Math.max(...byBytes.heldOut.map(heldOutHash))).toBeLessThan(Math.min(...byBytes.train.map(heldOutHash)));
  const all = new HeldOutBytes(1e9);
  for (const text of texts) all.add(text);
  expect(texts.every((text) => heldOutHash(text) < all.limit())).toBe(true);
});

test("what cannot be used says so", async () => {
  await expect(tokenizeCorpus(corpusOf([]))).rejects.toThrow("expected at least one document to train on, found 0 empty documents");
  await expect(tokenizeCorpus(corpusOf(["", ""]))).rejects.toThrow("found 2 empty documents");
  await expect(tokenizeCorpus(corpusOf(["a", "b"], { heldOut: { bytes: 100 } }))).rejects.toThrow("all 2 documents are held out");
  await expect(tokenizeCorpus(corpusOf(["a", "b"], { heldOut: { share: 1e-9 } }))).rejects.toThrow("fall into the held-out share");
  await expect(tokenizeCorpus(corpusOf(["a"], { heldOut: { share: 2 } }))).rejects.toThrow("heldOut.share");
  await expect(tokenizeCorpus(corpusOf(["ok", "z"], { tokenizer: byteTokenizer({ vocabSize: 120, eosTokenId: 0 }) }))).rejects.toThrow(
    "expected token ids from 0 to 119, the size of the vocabulary less one, received 122",
  );
  await expect(tokenizeCorpus(corpusOf(["a"], { appendTokenId: 257 }))).rejects.toThrow("appendTokenId: expected a token id");
});

test("missing, cut or mistold shards are errors that name the file", async () => {
  const made = await tokenizeCorpus(corpusOf(someTexts(10)));
  const ids = partPath(made, "train", 0, "ids");
  truncateSync(ids, 10);
  expect(() => ShardedCorpus.open(made)).toThrow(`${ids}: has 10 bytes`);
  rmSync(ids);
  expect(() => ShardedCorpus.open(made)).toThrow(`${ids}: is missing`);
  expect(() => ShardedCorpus.open(made, "held-out")).toThrow("expected at least one document");
  writeFileSync(join(made, "header.json"), "{}");
  expect(() => ShardedCorpus.open(made)).toThrow("header.json format: expected the header of token shards");
});

test("killed at any moment and called again: the same bytes as without a kill", async () => {
  const whole = corpusOf(someTexts(6000), { partTokens: 16_000, batchCharacters: 4000, heldOut: { bytes: 3000 } });
  let allBatches = 0;
  const want = await tokenizeCorpus({ ...whole, onProgress: () => allBatches++ });
  const killed = { ...whole, shardsFolder: `${whole.shardsFolder}-killed` };
  const { tokenizer: _, ...plain } = killed;
  const program = `
    import { byteTokenizer } from "./byte-tokenizer.conformance.ts";
    import { tokenizeCorpus } from "./tokenize-corpus.ts";
    const onProgress = () => process.stdout.write("one batch\\n");
    await tokenizeCorpus({ ...${JSON.stringify(plain)}, tokenizer: byteTokenizer(), onProgress });`;
  const random = stream(3, "kills");
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { cwd: import.meta.dirname });
    const closed = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
    let left = 4 + random.integer(6);
    child.stdout.on("data", (lines: Buffer) => {
      left -= lines.toString().split("\n").length - 1;
      if (left <= 0) setTimeout(() => child.kill("SIGKILL"), random.integer(3));
    });
    expect(await closed).toBe("SIGKILL");
  }
  const partial = `${join(killed.shardsFolder, want.split("/").at(-1)!)}.partial`;
  const commits = readdirSync(partial).filter((name) => name.startsWith("commit-")).length;
  expect(commits).toBeGreaterThan(0);
  let batches = 0;
  const got = await tokenizeCorpus({ ...killed, onProgress: () => batches++ });
  expect(batches).toBeLessThanOrEqual(allBatches - commits);
  expect(readdirSync(got).sort()).toEqual(readdirSync(want).sort());
  for (const name of readdirSync(want)) expect(readFileSync(join(got, name)).equals(readFileSync(join(want, name)))).toBe(true);
});

test("tokens are counted where the corpus is small, estimated within a few percent where it is not", async () => {
  const small = corpusOf(someTexts(50));
  const folder = await tokenizeCorpus(small);
  const { numTokens } = ShardedCorpus.open(folder);
  expect(await estimateTokens(findInputs(small.paths), small.tokenizer)).toEqual({ tokens: numTokens, exact: true });
  // Two files of about 1.4 million characters each, of which half a million is read.
  const large = corpusOf(someTexts(70_000));
  const { tokens, exact } = await estimateTokens(findInputs(large.paths), large.tokenizer);
  expect(exact).toBe(false);
  const counted = ShardedCorpus.open(await tokenizeCorpus(large)).numTokens;
  expect(Math.abs(tokens / counted - 1)).toBeLessThan(0.05);
  // Compressed, the first piece that is read from the disk holds far more text than is asked for, and must count whole.
  const compressed = findInputs(large.paths).map(({ path }) => `${path}.gz`);
  for (const [i, { path }] of findInputs(large.paths).entries()) writeFileSync(compressed[i]!, gzipSync(readFileSync(path)));
  const guess = await estimateTokens(findInputs(compressed), large.tokenizer);
  expect(Math.abs(guess.tokens / counted - 1)).toBeLessThan(0.05);
});

test("each document is ended once and begun as the template begins it; empty texts are no documents", async () => {
  // The template of bytes ends a text with 1 itself.
  const bytes = ShardedCorpus.open(await tokenizeCorpus(corpusOf(["", "a", "bc"], { tokenizer: batchTokenizerOf(new ByteTokenizer()) })));
  const idsOf = (corpus: TokenCorpus) => {
    const ids = new Int32Array(corpus.numTokens);
    corpus.read(0, corpus.numTokens, ids, 0);
    return [...ids];
  };
  expect(idsOf(bytes)).toEqual([100, 1, 101, 102, 1]);
  expect(bytes.numDocuments).toBe(2);
  const plain = new ByteTokenizer();
  const withStart = {
    ...{ vocabSize: 259, hash: "with start", specialTokens: { bos: 2, eos: 1, pad: 0, unk: undefined }, endIds: [1] },
    encode: (text: string, { addSpecialTokens = true } = {}) =>
      Int32Array.from([...(addSpecialTokens ? [2] : []), ...plain.encode(text, { addSpecialTokens: false })]),
    encodeBatch: (texts: readonly string[]) => plain.encodeBatch(texts, { addSpecialTokens: false }),
  } as unknown as Tokenizer;
  expect(idsOf(ShardedCorpus.open(await tokenizeCorpus(corpusOf(["", "a", "bc"], { tokenizer: batchTokenizerOf(withStart) }))))).toEqual([
    2, 100, 1, 2, 101, 102, 1,
  ]);
});
