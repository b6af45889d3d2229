/** `perennial tokenizer` as a user calls it, on the quickstart's model and texts. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "./cli.ts";
import { memoryEffects } from "./testing/memory-effects.ts";

const quickstart = fileURLToPath(new URL("../../../examples/quickstart/", import.meta.url));
const base = join(quickstart, "base");
let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "perennial-tokenizer-"));
  for (const language of ["basque", "english"]) {
    const lines = gunzipSync(readFileSync(join(quickstart, `${language}.jsonl.gz`)))
      .toString("utf8")
      .split("\n");
    writeFileSync(join(cwd, `${language}.jsonl`), `${lines.slice(0, 40).join("\n")}\n`);
  }
  writeFileSync(join(cwd, "empty.jsonl"), "");
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function perennial(...args: string[]) {
  const effects = memoryEffects({ cwd });
  const code = await main(["tokenizer", ...args], effects);
  return { code, out: effects.stdout, err: effects.stderr };
}
const extend = (...args: string[]) => perennial("extend", base, "basque.jsonl", "--model", base, ...args);

test("extend --dry-run: four sizes with and without --keep, measured on text held out, and nothing written", async () => {
  const before = readdirSync(cwd);
  const { code, out, err } = await extend("--new-tokens", "200", "--keep", "english.jsonl", "--language", "eu", "--dry-run", "--json");
  expect(code).toBe(0);
  expect(err).toMatch(/^new text: 40 documents, \d\.\d MB\ntext to keep: 40 documents/);
  const { heldOut, model, rows } = JSON.parse(out);
  expect(heldOut).toBe(true);
  expect(model).toMatchObject({ hiddenSize: 192, tied: true, perRow: 192 });
  const shape = ({ newTokens, kept, parameters }: { newTokens: number; kept: boolean; parameters: number }) => [
    newTokens,
    kept,
    parameters,
  ];
  const sizes = [25, 50, 100, 200];
  const ways = [false, true].flatMap((kept) => sizes.map((size) => [size, kept, 192 * size]));
  expect(rows.map(shape)).toEqual([[0, false, 0], ...ways]);
  const fertility = rows.map((row: { fertility: number }) => row.fertility);
  for (const start of [0, 4]) for (let i = start + 2; i < start + 5; i++) expect(fertility[i]).toBeLessThan(fertility[i - 1]);
  expect(rows[4].parity).toBeLessThan(rows[0].parity);
  expect(rows[0].oldText).toMatchObject({ changedTexts: 0, changedTokens: 0 });
  expect(rows[8].oldText.changedTokens).toBeLessThanOrEqual(rows[4].oldText.changedTokens);
  expect(readdirSync(cwd)).toEqual(before);
});

test("extend: the folder loads, kept text keeps its ids, a second run on top is refused", async () => {
  const args = ["--new-tokens", "100", "--keep", "english.jsonl", "--output", "made/eu"];
  const { code, out } = await extend(...args);
  expect(code).toBe(0);
  expect(out).toMatch(/100 +kept .* 0\.0 % +0\.00 % +19,200/);
  expect(out).toMatch(/made\/eu: 4096 tokens and 100 new ones\n$/);
  expect(readdirSync(join(cwd, "made"))).toEqual(["eu"]);
  expect(JSON.parse(readFileSync(join(cwd, "made/eu/vocabulary_extension.json"), "utf8"))).toEqual({
    old_vocab_size: 4096,
    new_vocab_size: 4196,
  });
  expect(await extend(...args)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^perennial: made\/eu: expected a new or empty folder.*\n$/),
  });
  const report = await perennial("report", base, "en=english.jsonl", "eu=basque.jsonl", "--against", "made/eu", "--json");
  const { rows, tokenizers, model } = JSON.parse(report.out);
  expect(tokenizers.map(({ vocabSize }: { vocabSize: number }) => vocabSize)).toEqual([4096, 4196]);
  const [english, sameEnglish, basque, shorter] = rows;
  expect(sameEnglish.tokens).toBe(english.tokens);
  expect(shorter.tokens).toBeLessThan(basque.tokens);
  expect(basque.parity).toBeCloseTo(basque.tokens / english.tokens, 12);
  expect(basque.parityPerByte).toBeCloseTo(basque.tokensPerByte / english.tokensPerByte, 12);
  expect(model.more[0]).toMatchObject({ newTokens: 1000, parameters: 192_000 });
});

test("extend without --keep says where old text changes", async () => {
  mkdirSync(join(cwd, "there"));
  const { out } = await extend("--new-tokens", "300", "--old", "english.jsonl", "basque.jsonl", "--output", "there");
  expect(out).toMatch(/Old text in 4 of 8 documents is cut differently now, for example\n( {2}.+ {2}→ {2}.+\n)+/);
});

test("train --kind unigram, then a report tells its bytes", async () => {
  const { code, out } = await perennial("train", "basque.jsonl", "--kind", "unigram", "--vocab-size", "600", "--output", "pieces");
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^pieces: 600 tokens from \d+ words/) });
  writeFileSync(join(cwd, "thai.txt"), "ภาษาไทย");
  const { rows } = JSON.parse((await perennial("report", "pieces", "eu=basque.jsonl", "th=thai.txt", "--json")).out);
  expect(rows[1]).toMatchObject({ coverage: 0, fallbackTokens: 1, unknownTokens: 0 });
  expect(rows[0].fallbackTokens).toBeLessThan(0.01);
  const table = await perennial("report", "pieces", "eu=basque.jsonl");
  expect(table.out).toMatch(/^text +tokens per word +tokens per byte +parity +per byte +coverage/);
  expect(table.out).not.toContain("parameters");
});

test.each([
  [["extend", base, "basque.jsonl", "--new-tokens", "9"], 1, /--output: expected a folder/],
  [["extend", base, "empty.jsonl", "--new-tokens", "9", "--output", "x"], 1, /text/],
  [["extend", base, "basque.jsonl", "--new-tokens", "0", "--output", "x"], 2, /whole number of at least 1/],
  [["extend", base, "basque.jsonl", "--new-tokens", "9", "--dry-run", "--language", "!"], 1, /--language: expected a language tag/],
  [["extend", "nowhere", "basque.jsonl", "--new-tokens", "9", "--dry-run"], 1, /nowhere: there is no such file/],
  [["report", base, "nowhere.jsonl"], 1, /nowhere\.jsonl/],
  [["report", base, "empty.jsonl"], 1, /empty\.jsonl/],
  [["report", base, "basque.jsonl", "--model", "nowhere"], 1, /config\.json: expected a Hugging Face model folder/],
  [["train", "basque.jsonl", "--kind", "words", "--vocab-size", "600", "--output", "x"], 1, /--kind: expected bpe or unigram/],
  [["train", "basque.jsonl", "--kind", "unigram", "--vocab-size", "60", "--output", "x"], 1, /vocabSize: expected at least/],
])("%j is one clear line", async (args, expected, message) => {
  const { code, err } = await perennial(...args);
  const told = err.split("\n").filter((line) => line.startsWith("perennial: "));
  expect({ code, told }).toEqual({ code: expected, told: [expect.stringMatching(message)] });
});
