import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonTokenizer } from "./json-tokenizer.ts";

function open(name: string): JsonTokenizer {
  const golden = JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), "utf8")) as { tokenizer: unknown };
  return new JsonTokenizer(new Map([["tokenizer.json", Buffer.from(JSON.stringify(golden.tokenizer))]]));
}

const plain = { addSpecialTokens: false };
const back = (tokenizer: JsonTokenizer, text: string) => tokenizer.decode(tokenizer.encode(text, plain));
/** Any well-formed text; pieces that tokenizers treat in their own ways come often. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(" ", "  ", "\n", "\t", "a", "ñ", "e\u0301", "日本", "🙂", "<0x41>", "</s", "\u00a0"),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));

test.each(["bloom", "deepseek", "falcon"])("%s: bytes come back as they were", (name) => {
  const tokenizer = open(name);
  fc.assert(fc.property(text, (given) => void expect(back(tokenizer, given)).toBe(given)));
});

test.each(["llama2", "gemma"])("%s: what the vocabulary lacks goes through bytes and comes back", (name) => {
  const tokenizer = open(name);
  // U+2581 stands for a space in these vocabularies, so that a text with it is one with a space.
  fc.assert(fc.property(text, (given) => void expect(back(tokenizer, given)).toBe(given.replaceAll("▁", " "))));
  const bytes = tokenizer.encode("\u{1f9ff}", plain);
  expect([...bytes].slice(-4).map((id) => tokenizer.idToToken(id))).toEqual(["<0xF0>", "<0x9F>", "<0xA7>", "<0xBF>"]);
});

test.each(["unigram-bytes", "roberta"])("%s: what normalization leaves comes back", (name) => {
  const tokenizer = open(name);
  fc.assert(
    fc.property(text, (given) => {
      const once = back(tokenizer, given);
      expect(back(tokenizer, once).trim()).toBe(once.trim());
    }),
  );
});

test.each(["llama3", "qwen2", "llama2", "gemma", "falcon"])("%s: added tokens are found in any text and come back", (name) => {
  const tokenizer = open(name);
  const added = (tokenizer.json.added_tokens as { content: string; id: number }[]).filter(({ content }) => !/unk/.test(content));
  expect(added.length).toBeGreaterThan(0);
  const word = fc.constantFrom("a", " b", "ñ 1", "\n", "🙂");
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.constantFrom(...added)), { minLength: 1, maxLength: 6 }), (parts) => {
      const ids = [...tokenizer.encode(parts.map(([before, { content }]) => before + content).join(""), plain)];
      const known = new Set(added.map(({ id }) => id));
      expect(ids.filter((id) => known.has(id))).toEqual(parts.map(([, { id }]) => id));
      // Spaces may be put before a piece of text, and some added tokens swallow those beside them; nothing else may change.
      const letters = (given: string) => given.replace(/\s/g, "");
      expect(letters(tokenizer.decode(ids))).toBe(letters(parts.map(([before, { content }]) => before + content).join("")));
    }),
  );
});
