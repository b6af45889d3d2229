import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JsonTokenizer } from "./json-tokenizer.ts";

// Written by tools/golden/tokenizer.py with Hugging Face tokenizers.
interface Golden {
  readonly tokenizer: unknown;
  /** Ids of texts[i] without special tokens around them. */
  readonly ids: readonly (readonly number[])[];
  /** "a" with special tokens. */
  readonly around: readonly number[];
  readonly decoded: readonly string[];
}

const folder = new URL("golden/", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const texts: readonly string[] = read("texts.json");
const names = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "texts.json");

describe.each(names)("%s equals the reference", (name) => {
  const golden: Golden = read(name);
  const tokenizer = new JsonTokenizer(new Map([["tokenizer.json", Buffer.from(JSON.stringify(golden.tokenizer))]]));
  const plain = { addSpecialTokens: false };

  test("ids of every hard text", () => {
    const wrong = texts.flatMap((text, i) => {
      const ids = [...tokenizer.encode(text, plain)];
      return JSON.stringify(ids) === JSON.stringify(golden.ids[i]) ? [] : [{ text, ids, expected: golden.ids[i] }];
    });
    expect(wrong).toEqual([]);
  });

  test("the same from a batch, from bytes and with a warm cache", async () => {
    const bytes = texts.map((text) => Buffer.from(text, "utf8"));
    for (const batch of [
      tokenizer.encodeBatch(texts, plain),
      tokenizer.encodeBatch(bytes, { ...plain, threads: 1 }),
      await tokenizer.encodeBatchAsync([...texts], { ...plain, threads: 3 }),
      await tokenizer.encodeBatchAsync(bytes, plain),
    ]) {
      const ids = texts.map((_, i) => [...batch.ids.subarray(batch.offsets[i], batch.offsets[i + 1])]);
      expect(ids).toEqual(golden.ids);
    }
  });

  test("decoded texts", () => {
    expect(golden.ids.map((ids) => tokenizer.decode(ids))).toEqual(golden.decoded);
  });

  test("special tokens around a text", () => {
    expect([...tokenizer.encode("a")]).toEqual(golden.around);
  });
});
