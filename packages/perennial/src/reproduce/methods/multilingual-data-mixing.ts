/** Monolingual or bilingual data, with code or without. Source: arXiv 2504.04152, specification `multilingual-data-mixing`. */

import { parallelTransformSchema } from "../../mixture/index.ts";
import { generate } from "../../model/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { openModel } from "../../run/index.ts";
import { stream } from "../../stream.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { type CellContext, defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import { alignedPages, barelyHeldOut, barelyMeasured, derivedText, pagesOf, partOfText } from "./derived-texts.ts";
import { LanguageGuess } from "./language-guess.ts";
import { cosine, englishBase, scaled, smallTrain } from "./small.ts";

const STEPS = 250;
const LANGUAGES = { german: "German", italian: "Italian" } as const;
const BYTES = 500_000;
const ARMS: Readonly<Record<string, { data: "monolingual" | "bilingual"; code: boolean }>> = {
  mono: { data: "monolingual", code: false },
  bi: { data: "bilingual", code: false },
  "mono-code": { data: "monolingual", code: true },
  "bi-code": { data: "bilingual", code: true },
};

/** Texts that are continued per language, and how far. */
const SAMPLES = 12;
const SAMPLE_TOKENS = 60;
const PROMPT_CHARACTERS = 60;

const own = (of: Reading, arm: string) => (of(arm, "german") + of(arm, "italian")) / 2;

export const multilingualDataMixing = defineReproduction({
  name: "multilingual-data-mixing",
  title: "Monolingual, bilingual, code",
  source:
    "Li et al., [Rethinking Multilingual Continual Pretraining: Data Mixing for Adapting LLMs Across Languages and Resources](https://arxiv.org/abs/2504.04152), COLM 2025",
  setup:
    "A model that has read English help pages learns German and Italian, from pages of each language or from the same pages line by line beside their English, " +
    "with a quarter of the tokens given to code or not. All four arms have the same number of tokens. Wrong language: share of continuations of held-out text (temperature 0.7) " +
    "that character trigrams take for another of English, German and Italian.",
  texts: ["english", "python-code", "german", "italian"],
  arms: [
    { name: "mono", label: "monolingual" },
    { name: "bi", label: "bilingual" },
    { name: "mono-code", label: "monolingual + code" },
    { name: "bi-code", label: "bilingual + code" },
  ],
  measurements: [
    { key: "german", label: "German", unit: "bits per byte" },
    { key: "italian", label: "Italian", unit: "bits per byte" },
    { key: "english", label: "English", unit: "bits per byte" },
    { key: "code", label: "Python code", unit: "bits per byte" },
    { key: "wrongLanguage", label: "wrong language", unit: "percent", digits: 1 },
  ],
  claims: [
    {
      id: "language-mixing",
      statement: "Bilingual data makes the model leave the language of its text, monolingual data does not",
      quantity: "continuations in a wrong language: bilingual − monolingual",
      unit: "points",
      expect: { above: 5 },
      value: (of) => of("bi", "wrongLanguage") - of("mono", "wrongLanguage"),
    },
    {
      id: "own-language",
      statement: "The language itself is learned better from monolingual text",
      quantity: "mean of German and Italian: bilingual − monolingual",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => own(of, "bi") - own(of, "mono"),
    },
    {
      id: "pivot",
      statement: "Bilingual data keeps the pivot language",
      quantity: "English: monolingual − bilingual",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("mono", "english") - of("bi", "english"),
    },
    {
      id: "code-cost",
      statement: "At equal tokens, code costs little of the languages",
      quantity: "mean of German and Italian: with code − without",
      unit: "bits per byte",
      expect: { within: 0.15 },
      value: (of) => own(of, "mono-code") - own(of, "mono"),
    },
    {
      id: "code",
      statement: "The code component is learned",
      quantity: "code: without − with",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("mono", "code") - of("mono-code", "code"),
    },
  ],
  charts: [],
  minutes: 3,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    base: englishBase(settings),
    samples: [SAMPLES, SAMPLE_TOKENS, PROMPT_CHARACTERS],
    recipe: recipeOf(arm, seed, settings),
  }),
  async run({ base, recipe }, context) {
    const { final, documents, modelFolder } = await runRecipeCell(withTexts(recipe, context), context, await sharedModel(base, context));
    return { measurements: { ...final, wrongLanguage: await wrongLanguage(modelFolder, recipe.seed ?? 0) }, documents };
  },
});

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const { data, code } = ARMS[arm]!;
  const group = data === "monolingual" ? "" : "-pairs";
  const sources = [
    ...Object.keys(LANGUAGES).map((name) => ({ corpus: `${name}${group}`, group: data })),
    ...(code ? [{ corpus: "code", group: "code" }] : []),
  ];
  return {
    name: arm,
    seed,
    model: "base",
    corpora: { english: barelyHeldOut("english"), code: barelyHeldOut("python-code") },
    ...barelyMeasured,
    train: { ...smallTrain, steps: scaled(STEPS, settings), schedule: cosine },
    stages: [{ name: "languages", mixture: { sources, sampling: { sampling: "layout", data, code, maxEpochs: 50 } } }],
  };
}

function withTexts(recipe: RecipeSpec, context: CellContext): RecipeSpec {
  const corpora: RecipeSpec["corpora"] = { ...recipe.corpora };
  for (const [name, language] of Object.entries(LANGUAGES)) {
    corpora[name] = partOfText(context, name, BYTES);
    const pairs = derivedText(context, `${name}-english-pages`, () =>
      alignedPages(name, "english")
        .filter(({ lines }) => lines.length > 1)
        .map(({ lines }) => ({ text: lines.map(([line]) => line).join("\n"), english: lines.map(([, line]) => line).join("\n") })),
    );
    const transform = parallelTransformSchema.parse({ transform: "parallel", fields: { text: language, english: "English" } });
    corpora[`${name}-pairs`] = { path: pairs, transform, heldOut: "none" };
  }
  return { ...recipe, corpora };
}

/** In percent, over the languages. */
async function wrongLanguage(modelFolder: string, seed: number): Promise<number> {
  const names = ["english", ...Object.keys(LANGUAGES)];
  const guess = new LanguageGuess(Object.fromEntries(names.map((name) => [name, pagesOf(name).slice(0, 120).map(({ text }) => text).join("\n")]))); // biome-ignore format: one line
  const { model, tokenizer } = await openModel(modelFolder);
  try {
    let wrong = 0;
    for (const name of Object.keys(LANGUAGES)) {
      const prompts = pagesOf(name)
        .filter(({ text }, i) => i % 40 === 39 && text.length > 2 * PROMPT_CHARACTERS)
        .slice(0, SAMPLES)
        .map(({ text }) => tokenizer.encode(text.slice(0, PROMPT_CHARACTERS)));
      const texts = generate(model, prompts, {
        maxNewTokens: SAMPLE_TOKENS,
        temperature: 0.7,
        topP: 0.95,
        stream: stream(seed, `continuations of ${name}`),
      }).map((ids) => tokenizer.decode(ids, { skipSpecialTokens: true }));
      wrong += texts.filter((text) => guess.of(text) !== name).length / texts.length;
    }
    return (100 * wrong) / Object.keys(LANGUAGES).length;
  } finally {
    model.dispose();
  }
}
