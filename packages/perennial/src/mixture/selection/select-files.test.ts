import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { selectFiles } from "./select-files.ts";

const folder = mkdtempSync(join(tmpdir(), "select-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, texts: readonly string[]) => {
  writeFileSync(join(folder, name), texts.map((text, i) => `${JSON.stringify({ id: `${name}${i}`, text })}\n`).join(""));
  return join(folder, name);
};

const basque = ["itsasoa urdina da eta sakona", "itsasoa sakona da", "urdina da itsasoa eta sakona da"];
const options = { order: 3, unit: "byte", minWords: 5, textField: "text", output: join(folder, "best.jsonl") } as const;

test("the documents of the domain are chosen, in the order of the pool, with their perplexity", async () => {
  const pool = file("pool.jsonl", ["the sea is blue and deep", basque[1]!, "das Meer ist blau und tief", basque[2]!]);
  const result = await selectFiles({ ...options, pool: [pool], reference: [file("reference.jsonl", basque)], bytes: 40 });
  const chosen = readFileSync(options.output, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as { text: string; perplexity: number }); // biome-ignore format: one line
  expect(chosen.map(({ text }) => text)).toEqual([basque[1], basque[2]]);
  expect(result).toMatchObject({ documents: 2, poolDocuments: 4, rejected: 0 });
  expect(Math.min(...chosen.map(({ perplexity }) => perplexity))).toBe(result.best);
});

test("an empty pool leaves no file", async () => {
  const output = join(folder, "none.jsonl");
  const wanted = { ...options, output, pool: [file("empty.jsonl", [])], reference: [file("reference.jsonl", basque)], bytes: 40 };
  await expect(selectFiles(wanted)).rejects.toThrow("empty.jsonl: the pool has no document of at least 5 words");
  expect(existsSync(output)).toBe(false);
});
