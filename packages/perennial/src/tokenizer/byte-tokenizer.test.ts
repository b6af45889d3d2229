import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { openTokenizerOf } from "./open.ts";

const tokenizer = new ByteTokenizer();
const plain = { addSpecialTokens: false };

test("the specification's ids", () => {
  expect([...tokenizer.encode("The dog", plain)]).toEqual([87, 107, 104, 35, 103, 114, 106]);
  expect([...tokenizer.encode("é", plain)]).toEqual([198, 172]);
  expect([...tokenizer.encode("a")]).toEqual([100, 1]);
  expect(tokenizer.vocabSize).toBe(259);
  expect([1, 2, 11].map((i) => tokenizer.sentinel(i))).toEqual([258, 257, 248]);
});

test("decode undoes encode on all planes, and a lone lead byte becomes U+FFFD", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => tokenizer.decode(tokenizer.encode(text)) === text));
  expect(tokenizer.decode([0, 0xc3 + 3, 1])).toBe("\ufffd");
});

test("a batch is its texts one after another", async () => {
  const texts = ["", "ab", Buffer.from([0xff, 0]), "你"];
  const batch = tokenizer.encodeBatch(texts);
  expect(await tokenizer.encodeBatchAsync(texts)).toEqual(batch);
  texts.forEach((text, i) => {
    expect(batch.ids.slice(batch.offsets[i], batch.offsets[i + 1])).toEqual(tokenizer.encode(text));
  });
});

test("every id has a token and comes back", () => {
  for (let id = 0; id < 259; id++) expect(tokenizer.tokenToId(tokenizer.idToToken(id)!)).toBe(id);
  expect(tokenizer.idToToken(259)).toBeUndefined();
});

test("a folder it was saved to opens again as bytes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bytes-"));
  await new ByteTokenizer().save(folder);
  const opened = await openTokenizerOf(folder);
  expect(opened.hash).toBe(new ByteTokenizer().hash);
  rmSync(folder, { recursive: true });
});
