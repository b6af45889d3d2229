import fc from "fast-check";
import { expect, test } from "vitest";
import { compareTokenizers } from "./changes.ts";
import { extendTokenizer, readForExtension } from "./extend.ts";
import { extensionOf } from "./extension-file.ts";
import type { JsonTokenizer } from "./json-tokenizer.ts";
import { openGolden, quickstartTexts } from "./testing/extended-kinds.ts";
import { trainUnigramTokenizer } from "./train-unigram.ts";

const [basque, english] = [quickstartTexts("basque"), quickstartTexts("english")];
const tokens = (tokenizer: JsonTokenizer, texts: readonly string[]) => tokenizer.encodeBatch(texts).ids.length;

test.each(["llama3", "llama2", "gemma", "xlmr", "t5", "no-fallback"])(
  "%s: old ids stay, new text gets shorter, kept text stays",
  async (name) => {
    const old = openGolden(name);
    const free = await extendTokenizer(old, basque, { newTokens: 200 });
    expect(free.newVocabSize).toBe(old.vocabSize + free.learnt.length);
    expect(free.tokenizer.vocabSize).toBe(free.newVocabSize);
    expect(free.learnt.length).toBe(200);
    for (let id = 0; id < old.vocabSize; id++) expect(free.tokenizer.idToToken(id)).toBe(old.idToToken(id));
    for (const { id, token } of free.learnt) expect(free.tokenizer.idToToken(id)).toBe(token);
    expect(tokens(free.tokenizer, basque)).toBeLessThan(0.85 * tokens(old, basque));
    expect(extensionOf(free.tokenizer)).toEqual({ oldVocabSize: old.vocabSize, newVocabSize: free.newVocabSize });
    const kept = await extendTokenizer(old, basque, { newTokens: 200, keep: english });
    expect(compareTokenizers(old, kept.tokenizer, english)).toMatchObject({ changedTexts: 0, changedTokens: 0 });
    expect(tokens(kept.tokenizer, basque)).toBeLessThan(tokens(old, basque));
  },
);

test("a trained Unigram tokenizer: decode undoes encode, the result does not depend on threads", async () => {
  const [one, three] = await Promise.all([1, 3].map((threads) => trainUnigramTokenizer(basque, { vocabSize: 800, threads })));
  expect(one!.tokenizer.hash).toBe(three!.tokenizer.hash);
  expect(one!.tokenizer.vocabSize).toBe(800);
  const extended = (await extendTokenizer(one!.tokenizer, english, { newTokens: 100 })).tokenizer;
  for (const tokenizer of [one!.tokenizer, extended])
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.constantFrom("<0x41>", "<unk>", " a  b\n\n c")), (text) => {
        fc.pre(!text.includes("▁"));
        const wellFormed = Buffer.from(text, "utf8").toString("utf8");
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed);
      }),
      { numRuns: 120 },
    );
  await expect(trainUnigramTokenizer(basque, { vocabSize: 300 })).rejects.toThrow(/vocabSize: expected at least/);
});

test("one reading serves several sizes, and each equals an extension of its own", async () => {
  const old = openGolden("llama2");
  const texts = await readForExtension(old, basque, { keep: english });
  for (const newTokens of [20, 200, 50])
    expect((await texts.learn(newTokens)).tokenizer.hash).toBe(
      (await extendTokenizer(old, basque, { newTokens, keep: english })).tokenizer.hash,
    );
  expect((await texts.learn(50, false)).tokenizer.hash).toBe((await extendTokenizer(old, basque, { newTokens: 50 })).tokenizer.hash);
});

test("a change is shown from where ids part to where they meet", async () => {
  const old = openGolden("llama3");
  const { tokenizer } = await extendTokenizer(old, ["qzq qzq qzq"], { newTokens: 5 });
  const { examples } = compareTokenizers(old, tokenizer, ["a qzq b", "a qzq c", "a"]);
  expect(examples).toEqual([{ before: expect.anything(), after: ["▁qzq"] }]);
  expect(examples[0]!.before.join("")).toBe("▁qzq");
});
