import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { stream } from "../../stream.ts";
import { FastTextModel, type LabelScore } from "./fasttext.ts";

const goldenFolder = fileURLToPath(new URL("./golden/", import.meta.url));
const golden = JSON.parse(readFileSync(join(goldenFolder, "fasttext.json"), "utf8")) as {
  sentences: string[];
  lid176: [string, number][][];
  texts: string[];
  kinds: Record<string, [string, number][][]>;
};
export const lid176 = join(
  dirname(createRequire(import.meta.url).resolve("fasttext.wasm.js/package.json", { paths: [goldenFolder] })),
  "dist/models/language-identification/assets/lid.176.ftz",
);
const folder = mkdtempSync(join(tmpdir(), "fasttext-"));
afterAll(() => rmSync(folder, { recursive: true }));

function expectEqual(found: LabelScore[], expected: [string, number][]) {
  expect(found.map(({ label }) => label)).toEqual(expected.map(([label]) => label));
  found.forEach(({ score }, i) => void expect(Math.abs(score - expected[i]![1])).toBeLessThan(1e-5));
}

test("lid.176 gives the original's labels and scores", () => {
  const model = new FastTextModel(lid176);
  expect(model.labels).toHaveLength(176);
  for (const [i, sentence] of golden.sentences.entries()) expectEqual(model.predict(sentence, { k: 5 }), golden.lid176[i]!);
});

test.each(Object.keys(golden.kinds))("%s gives the original's labels and scores", (name) => {
  const model = new FastTextModel(join(goldenFolder, name));
  for (const [i, text] of golden.texts.entries()) expectEqual(model.predict(text, { k: 3 }), golden.kinds[name]![i]!);
});

test("k and threshold limit the answer; the labels of an empty text are those of an empty line", () => {
  const model = new FastTextModel(lid176);
  const sentence = golden.sentences[0]!;
  expect(model.predict(sentence)).toHaveLength(1);
  expect(model.predict(sentence, { k: 5, threshold: 0.5 })).toHaveLength(1);
  expect(model.predict(sentence, { k: 1000 }).length).toBeGreaterThan(50); // the tree is not followed below 10⁻⁵
  expect(model.predict(`${sentence} </s> et puis la suite`, { k: 3 })).toEqual(model.predict(sentence, { k: 3 }));
  expect(model.predict(sentence.replaceAll(" ", "\n"), { k: 3 })).toEqual(model.predict(sentence, { k: 3 }));
});

test("what is no model is named", () => {
  const path = join(folder, "text.bin");
  writeFileSync(path, "this is no model");
  expect(() => new FastTextModel(path)).toThrow(/text\.bin: expected a fastText classifier, .* does not begin as one/);
  expect(() => new FastTextModel(join(folder, "missing.bin"))).toThrow(/No such file/);
});

test("damaged models are refused or answer with finite work: 4,000 variants", () => {
  const random = stream(1, "fasttext-fuzz");
  const path = join(folder, "damaged.bin");
  let refused = 0;
  for (const name of Object.keys(golden.kinds)) {
    const original = readFileSync(join(goldenFolder, name));
    for (let variant = 0; variant < 800; variant++) {
      const bytes = Buffer.from(original.subarray(0, random.integer(4) === 0 ? random.integer(original.length) : original.length));
      // Headers and dictionaries are where structure stands: half of the damage goes into the first 2 kB.
      for (let i = random.integer(4); i >= 0 && bytes.length > 0; i--)
        bytes[random.integer(random.integer(2) === 0 ? Math.min(bytes.length, 2048) : bytes.length)] = random.integer(256);
      rmSync(path, { force: true }); // what lies there may still be mapped, and some file systems are slow to write over a file
      writeFileSync(path, bytes);
      try {
        const model = new FastTextModel(path);
        expect(model.predict(golden.texts[0]!, { k: 2 }).length).toBeLessThanOrEqual(2);
      } catch (error) {
        refused++;
        expect(String(error)).toMatch(/expected a fastText classifier/);
      }
    }
  }
  expect(refused).toBeGreaterThan(500);
});
