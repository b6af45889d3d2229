import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { transformSchema } from "../mixture/index.ts";
import { resolveRecipe } from "../recipe/index.ts";
import { ByteTokenizer } from "../tokenizer/index.ts";
import { transformedCorpus } from "./corpus-transform.ts";
import { prepareCorpora } from "./index.ts";
import { tinyRecipe } from "./testing/tiny-recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "transform-"));
const cacheFolder = join(folder, "tokens");

async function made(name: string, records: readonly object[], spec: unknown) {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, records.map((record) => JSON.stringify(record)).join("\n"));
  const notes: string[] = [];
  const options = { baseFolder: folder, cacheFolder, textField: "text", note: (text: string) => void notes.push(text) };
  const file = await transformedCorpus(name, [path], transformSchema.parse(spec), options);
  const texts = readFileSync(file, "utf8").trimEnd().split("\n").map((line) => (JSON.parse(line) as { text: string }).text); // biome-ignore format: one line
  return { file, texts, notes: notes.join("\n") };
}

const pairs = [
  { en: "The sea.", eu: "Itsasoa." },
  { en: "The sky.", eu: "Zerua." },
  { en: "The land.", eu: "Lurra." },
];
const fields = { en: "English", eu: "Basque" };

describe("parallel", () => {
  test("lines: names and sentences, gathered into documents; the same records give the same file", async () => {
    const spec = { transform: "parallel", fields, pairsPerDocument: 2 };
    const { texts, file, notes } = await made("lines", pairs, spec);
    expect(texts).toHaveLength(2);
    for (const text of texts) expect(text).toMatch(/^((English|Basque): .*\n(English|Basque): .*\n?)+$/);
    expect(texts[0]).toContain("Basque: Itsasoa.");
    expect(notes).toBe("lines: 2 documents from 3 records");
    expect((await made("lines", pairs, spec)).file).toBe(file);
    expect((await made("lines", pairs, { ...spec, seed: 2 })).file).not.toBe(file);
  });

  test("concatenation and interlinear keep a page's lines; what does not match is counted", async () => {
    const page = { en: "One\nTwo", eu: "Bat\nBi" };
    const odd = { en: "One\nTwo", eu: "Bat" };
    const whole = await made("pages", [page, odd, { en: "alone" }], { transform: "parallel", fields, format: "concatenation" });
    expect(["One\nTwo\n\nBat\nBi", "Bat\nBi\n\nOne\nTwo"]).toContain(whole.texts[0]);
    expect(whole.notes).toMatch(/1 dropped: lines that do not match, 1 dropped: missing field/);
    const { texts } = await made("pages", [page, odd], { transform: "parallel", fields, format: "interlinear" });
    expect(["One\nBat\nTwo\nBi", "Bat\nOne\nBi\nTwo"]).toEqual(expect.arrayContaining(texts));
  });

  test("templates: every pair once, both sentences in it", async () => {
    const { texts } = await made("templates", pairs, { transform: "parallel", fields, format: "templates" });
    for (const { en, eu } of pairs)
      expect(texts.join("\n").split(en.slice(0, -1)).length + texts.join("\n").split(eu.slice(0, -1)).length).toBe(4);
  });

  test("pairs that are no translations go: by the score of the record, or by a lexicon learned from the pairs", async () => {
    const scored = pairs.map((pair, i) => ({ ...pair, quality: [0.9, 0.2, 0.8][i] }));
    const byScore = { transform: "parallel", fields, scoreField: "quality", filter: { similarity: "score" } };
    const good = await made("scored", [...scored, scored[0]!, { en: "Same.", eu: "Same.", quality: 1 }], byScore);
    expect(good.texts.join("\n")).not.toContain("Zerua");
    expect(good.texts.join("\n").match(/Itsasoa/g)).toHaveLength(1);
    expect(good.notes).toMatch(/1 dropped: similarity-below-min, 1 dropped: repeated, 1 dropped: copy/);
    // Words of one language stand for words of the other; every sixth pair is another sentence's.
    const word = (i: number) => "abcdefghij"[i % 10]!.repeat(4) + "klmnopq"[i % 7]!;
    const sentence = (i: number, suffix: string) => [0, 3, 5].map((k) => word(i + k) + suffix).join(" ");
    const taught = Array.from({ length: 120 }, (_, i) => ({ en: sentence(i, ""), eu: sentence(i % 6 === 5 ? i + 31 : i, "x") }));
    const { texts, notes } = await made("taught", taught, {
      transform: "parallel",
      fields,
      filter: { similarity: "lexicon" },
      pairsPerDocument: 1,
    });
    const wrong = taught.filter(({ en, eu }) => !eu.startsWith(`${en.split(" ")[0]}x`));
    const kept = new Set(texts.flatMap((text) => text.split("\n").map((line) => line.replace(/^\w+: /, ""))));
    const keptWrong = wrong.filter(({ en, eu }) => texts.some((text) => text.includes(en) && text.includes(eu)));
    expect(keptWrong.length).toBeLessThan(wrong.length / 4);
    expect(kept.size).toBeGreaterThan(60);
    expect(notes).toContain("dropped: similarity-below-min");
  });

  test("the best pairs by score, few of them repeated; a selection without scores says what it needs", async () => {
    const records = Array.from({ length: 20 }, (_, i) => ({
      en: `Sentence number ${i} is here.`,
      eu: `Hona hemen ${i}. esaldia.`,
      q: i / 20,
    }));
    const select = { mode: "percentile", level: 0.9, minPairs: 6 };
    const spec = { transform: "parallel", fields, scoreField: "q", select, pairsPerDocument: 1 };
    const { texts, notes } = await made("best", records, spec);
    expect(texts).toHaveLength(6); // two pairs, three times
    expect(new Set(texts.map((text) => /\d+/.exec(text)![0]))).toEqual(new Set(["18", "19"]));
    expect(notes).toContain("18 dropped: score below the level");
    await expect(made("best", records, { ...spec, scoreField: null })).rejects.toThrow(
      "transform.scoreField: expected the field of the scores",
    );
    await expect(made("best", records, { ...spec, scoreField: "nowhere" })).rejects.toThrow(/missing score/);
  });

  test("wrong fields are an error that names them", async () => {
    await expect(made("wrong", pairs, { transform: "parallel", fields: { en: "English", fr: "French" } })).rejects.toThrow(
      /expected records with the fields en and fr/,
    );
    expect(transformSchema.safeParse({ transform: "parallel", fields: { en: "English" } }).success).toBe(false);
  });
});

describe("questions", () => {
  const documents = Array.from({ length: 6 }, (_, i) => ({ text: `The sea number ${i} is blue and deep today. Short.` }));

  test("cloze: a gap and the word that was there, which can be exchanged for another's", async () => {
    const { texts, notes } = await made("cloze", documents, { transform: "questions" });
    expect(texts).toHaveLength(6);
    for (const text of texts) {
      const [, gapped, answer] = /^Which word is missing\? (.*)\n(.*)$/.exec(text)!;
      expect(documents.some((document) => document.text.includes(gapped!.replace("____", answer!)))).toBe(true);
    }
    expect(notes).toBe("cloze: 6 questions from 6 generations; 0 lacked a field, 0 were repeated");
    const corrupted = await made("cloze", documents, { transform: "questions", corrupt: 1 });
    expect(corrupted.texts.map((text) => text.split("\n")[0])).toEqual(texts.map((text) => text.split("\n")[0]));
    expect(corrupted.texts).not.toEqual(texts);
  });

  test("finished answers, in order; too few are an error", async () => {
    const path = join(folder, "answers.txt.jsonl");
    writeFileSync(
      path,
      documents.map((_, i) => JSON.stringify({ text: i === 3 ? "nonsense" : `Question: What is ${i}?\nAnswer: It is ${i}.` })).join("\n"),
    );
    const generator = { generator: "answers", path: "answers.txt.jsonl" };
    const { texts, notes } = await made("answers", documents, { transform: "questions", generator });
    expect(texts).toHaveLength(5);
    expect(texts[3]).toBe("What is 4?\nIt is 4.");
    expect(notes).toMatch(/1 lacked a field/);
    await expect(made("more", [...documents, ...documents], { transform: "questions", generator })).rejects.toThrow(
      /a generation for each of 12 snippets, received 6/,
    );
    await expect(made("none", [{ text: "x" }], { transform: "questions" })).rejects.toThrow(/generations with a question and an answer/);
  });
});

test("a recipe's corpus is transformed before it is tokenized, held-out files too", async () => {
  writeFileSync(join(folder, "pairs.jsonl"), pairs.map((pair) => JSON.stringify(pair)).join("\n"));
  const transform = { transform: "parallel" as const, fields, pairsPerDocument: 1 };
  const spec = tinyRecipe("x", {
    corpora: {
      old: { path: "pairs.jsonl", transform, heldOut: { path: "pairs.jsonl" } },
      new: { path: "pairs.jsonl", transform, heldOut: "none" },
    },
  });
  const notes: string[] = [];
  const [recipe] = resolveRecipe(spec).variants;
  const corpora = await prepareCorpora(recipe, new ByteTokenizer(), {
    baseFolder: folder,
    cacheFolder,
    onProgress: () => {},
    note: (text) => void notes.push(text),
  });
  expect(corpora.get("old")!.train.numDocuments).toBe(3);
  expect(corpora.get("old")!.heldOut!.numDocuments).toBe(3);
  expect(notes).toEqual(["old: 3 documents from 3 records"]);
});
