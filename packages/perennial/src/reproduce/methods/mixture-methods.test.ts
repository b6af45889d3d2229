import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGrad, tensor } from "@perennial/torch";
import { expect, test } from "vitest";
import { learnLexicon, lexiconCoverage } from "../../mixture/index.ts";
import { Decoder, decoderConfig } from "../../model/index.ts";
import { stream } from "../../stream.ts";
import { findReproduction } from "../registry.ts";
import { conditionalLoss } from "./conditional-loss.ts";
import { alignedPages, heldOutPages, pagesOf, partOfText, piecesOf, trainingPages } from "./derived-texts.ts";
import { LanguageGuess } from "./language-guess.ts";
import { missingWordQuestions } from "./missing-words.ts";
import { predictionRanks, typicalNgrams } from "./prediction-ranks.ts";

const context = {
  folder: "",
  sharedFolder: mkdtempSync(join(tmpdir(), "derived-")),
  tokensFolder: "",
  listen: () => {},
  signal: undefined,
};

test.each(["cmr-law", "d-cpt-law", "multilingual-data-mixing", "afriquellm", "marco-llm", "llama-3-syne", "in-context-pretraining"])(
  "%s: every arm has inputs of its own, every claim reads arms that there are",
  async (name) => {
    const { arms, claims, inputs } = await findReproduction(name);
    const all = arms.map((arm) => JSON.stringify(inputs(arm.name, 1, { tokens: 0.3, width: 64 })));
    expect(new Set(all).size).toBe(arms.length);
    expect(JSON.stringify(inputs(arms[0]!.name, 2, { tokens: 0.3, width: 64 }))).not.toBe(all[0]);
    const names = arms.map((arm) => arm.name);
    if (name.endsWith("-law")) return; // their claims fit laws: run.ts reads them
    for (const claim of claims)
      claim.value((arm) => {
        expect(names).toContain(arm);
        return 1;
      });
  },
);

test("parts of a text have their size, and none of the held-out pages", () => {
  const { path, heldOut } = partOfText(context, "finnish", 15_000);
  const texts = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n").map((line) => (JSON.parse(line) as { text: string }).text); // biome-ignore format: one line
  const part = texts(path);
  expect(Buffer.byteLength(part.join(""))).toBeGreaterThan(14_000);
  expect(Buffer.byteLength(part.join(""))).toBeLessThan(17_000);
  for (const text of texts(heldOut.path)) expect(part).not.toContain(text);
});

test("aligned pages: as many lines as their translation, in the other language", () => {
  const pages = alignedPages("german", "english");
  expect(pages.flatMap(({ lines }) => lines).length).toBeGreaterThan(3000);
  const guess = new LanguageGuess(Object.fromEntries(["english", "german"].map((name) => [name, pagesOf(name).slice(0, 100).map(({ text }) => text).join("\n")]))); // biome-ignore format: one line
  const long = pages.slice(-100).filter(({ lines }) => lines.length > 8);
  const right = long.filter(
    ({ lines }) =>
      guess.of(lines.map(([line]) => line).join(" ")) === "german" && guess.of(lines.map(([, line]) => line).join(" ")) === "english",
  );
  expect(right.length / long.length).toBeGreaterThan(0.95);
});

test("a model of zeros pays ln V for every token, whatever stands before", () => {
  const model = new Decoder(decoderConfig({ vocabSize: 50, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2 }));
  noGrad(() => {
    for (const parameter of model.parameters) parameter.zero_();
  });
  const { lossSum, tokens } = conditionalLoss(model, [1, 2, 3], [4, 5]);
  expect(tokens).toBe(2);
  expect(lossSum).toBeCloseTo(2 * Math.log(50), 5);
  model.dispose();
});

test("typical n-grams: frequent here, a tenth as often elsewhere; never across documents", () => {
  const times = (n: number, document: number[]) => Array.from({ length: n }, () => document);
  const ngrams = typicalNgrams(
    new Map([
      ["a", [...times(5, [1, 2, 3, 4]), ...times(4, [5, 6, 7, 8]), ...times(6, [9, 9, 9, 8]), ...times(8, [4, 4, 4])]],
      ["b", [...times(6, [9, 9, 9, 8]), ...times(90, [7, 7, 7, 7])]],
    ]),
  );
  expect(ngrams.get("a")).toEqual([[1, 2, 3, 4]]);
  expect(ngrams.get("b")).toEqual([[7, 7, 7, 7]]);
});

test("ranks: one more than the tokens held likelier; 1 throughout for a model that holds all equal", () => {
  const model = new Decoder(decoderConfig({ vocabSize: 30, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2 }));
  const prompt = [0, 3, 5, 7];
  const ordered = noGrad(() =>
    [...model.logits({ inputIds: tensor(Int32Array.from(prompt), { shape: [1, 4], dtype: "int64" }) }).toFloat32Array().slice(-30)] // biome-ignore format: one line
      .map((logit, token) => ({ logit, token }))
      .sort((a, b) => b.logit - a.logit),
  );
  const ngrams = ordered.map(({ token }) => [...prompt.slice(1), token]);
  expect(predictionRanks(model, ngrams, 0)).toEqual(ngrams.map((_, i) => i + 1));
  noGrad(() => {
    for (const parameter of model.parameters) parameter.zero_();
  });
  expect(predictionRanks(model, ngrams.slice(0, 2), 0)).toEqual([1, 1]);
  model.dispose();
});

test("a lexicon learnt from pairs of which a third are wrong tells the wrong ones", () => {
  const words = Array.from({ length: 90 }, (_, i) => `word${i + 10}`);
  const random = stream(1, "lexicon test");
  const pairs = Array.from({ length: 600 }, (_, i) => {
    const drawn = Array.from({ length: 5 }, () => words[random.integer(words.length)]!);
    const said = i % 3 === 0 ? Array.from({ length: 5 }, () => words[random.integer(words.length)]!) : drawn;
    return { source: drawn.join(" "), target: said.map((word) => `${word}ek`).join(" ") };
  });
  const coverage = lexiconCoverage(learnLexicon(pairs));
  const [right, wrong] = [pairs.filter((_, i) => i % 3 > 0), pairs.filter((_, i) => i % 3 === 0)];
  expect(right.filter((pair) => coverage(pair) > 0.7).length / right.length).toBeGreaterThan(0.9);
  expect(wrong.filter((pair) => coverage(pair) > 0.7).length / wrong.length).toBeLessThan(0.2);
});

test("missing words: a gap in a sentence, and four different choices", () => {
  const questions = missingWordQuestions(piecesOf(heldOutPages("python-manual")).map(({ text }) => text));
  expect(questions.length).toBeGreaterThan(100);
  for (const { question, choices } of questions) {
    expect(question).toMatch(/^Which word is missing\? .*____/s);
    expect(new Set(choices.map((choice) => choice.toLowerCase())).size).toBe(4);
  }
});

test("held-out and training pages are all pages; pieces keep their order and are not longer than asked", () => {
  const [held, rest] = [heldOutPages("postgresql"), trainingPages("postgresql")];
  expect(held.length + rest.length).toBe(pagesOf("postgresql").length);
  expect(held.length / (held.length + rest.length)).toBeGreaterThan(0.05);
  const pieces = piecesOf([{ id: "1", text: "aaaa\nbbbb\ncccc\ndd" }], 8);
  expect(pieces).toEqual([{ text: "aaaa\nbbbb" }, { text: "cccc\ndd" }]);
});
