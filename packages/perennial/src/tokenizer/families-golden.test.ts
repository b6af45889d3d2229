/** The shape of tokenizer.json of each model family, with added tokens in every neighborhood, against Hugging Face tokenizers. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { JsonTokenizer } from "./json-tokenizer.ts";

// Written by tools/golden/tokenizer_families.py.
interface Golden {
  readonly tokenizer: { readonly added_tokens: readonly { content: string; special: boolean; normalized: boolean }[] };
  /** Ids of texts.all, without special tokens around them. */
  readonly ids: readonly (readonly number[])[];
  /** Ids of texts.added, with them. */
  readonly whole: readonly (readonly number[])[];
  readonly decoded: readonly string[];
  /** The same without special tokens. */
  readonly skipped: readonly string[];
}

const folder = new URL("golden/families/", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const texts: { readonly all: readonly string[]; readonly added: readonly string[] } = read("texts.json");
const names = readdirSync(folder).filter((name) => name !== "texts.json");

/** What differs, with its text. */
const differences = <T>(inputs: readonly string[], expected: readonly T[], of: (text: string, i: number) => T) =>
  inputs.flatMap((text, i) => {
    const received = of(text, i);
    return JSON.stringify(received) === JSON.stringify(expected[i]) ? [] : [{ text, received, expected: expected[i] }];
  });

describe.each(names)("%s", (name) => {
  const golden: Golden = read(name);
  const tokenizer = new JsonTokenizer(new Map([["tokenizer.json", Buffer.from(JSON.stringify(golden.tokenizer))]]));

  test("ids, alone and with special tokens around them", () => {
    expect(differences(texts.all, golden.ids, (text) => [...tokenizer.encode(text, { addSpecialTokens: false })])).toEqual([]);
    expect(differences(texts.added, golden.whole, (text) => [...tokenizer.encode(text)])).toEqual([]);
  });

  test("decoded texts, with and without special tokens", () => {
    expect(differences(texts.all, golden.decoded, (_, i) => tokenizer.decode(golden.ids[i]!))).toEqual([]);
    const skipped = texts.all.map((_, i) => tokenizer.decode(golden.ids[i]!, { skipSpecialTokens: true }));
    const different = differences(texts.all, golden.skipped, (_, i) => skipped[i]!);
    // The reference does not find special tokens again that it has normalized, and leaves them in.
    const lost = golden.tokenizer.added_tokens.filter(({ special, normalized }) => special && normalized);
    expect(different.filter(({ expected }) => !lost.some(({ content }) => expected?.includes(content)))).toEqual([]);
    for (const text of lost.length > 0 ? skipped : []) expect(text.startsWith("<s>")).toBe(false);
  });
});
