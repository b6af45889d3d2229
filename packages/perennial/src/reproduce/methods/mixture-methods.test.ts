import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGrad } from "@perennial/torch";
import { expect, test } from "vitest";
import { Decoder, decoderConfig } from "../../model/index.ts";
import { findReproduction } from "../registry.ts";
import { conditionalLoss } from "./conditional-loss.ts";
import { alignedPages, pagesOf, partOfText } from "./derived-texts.ts";
import { LanguageGuess } from "./language-guess.ts";

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
