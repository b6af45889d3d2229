import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { comparedTexts, extendedKind, KINDS } from "./testing/extended-kinds.ts";

// Written by tools/golden/extended_tokenizers.py: what Hugging Face tokenizers gives for the same extended tokenizer.json.
const golden: Record<string, number[][]> = JSON.parse(readFileSync(new URL("golden/extended/ids.json", import.meta.url), "utf8"));

test.each(KINDS)("%s: an extended tokenizer gives the ids of the reference", async (kind) => {
  const tokenizer = await extendedKind(kind);
  expect(comparedTexts().map((text) => [...tokenizer.encode(text, { addSpecialTokens: false })])).toEqual(golden[kind]);
});
