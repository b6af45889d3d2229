/** UniMax against other samplers over languages of very unequal size. Source: arXiv 2601.06395, specification `afriquellm`. */
import type { Sampling } from "../../mixture/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import { barelyHeldOut, barelyMeasured, partOfText } from "./derived-texts.ts";
import { cosine, englishBase, scaled, smallTrain } from "./small.ts";

const STEPS = 250;

/** Bytes of training text. */
const LARGE = { spanish: 800_000, french: 800_000 } as const;
const SMALL = { german: 100_000, italian: 40_000, finnish: 8_000 } as const;
const LANGUAGES = { ...LARGE, ...SMALL } as const;

type Arm = { readonly sampling: Sampling; readonly code: boolean };

const ARMS: Readonly<Record<string, Arm>> = {
  proportional: { sampling: { sampling: "temperature", temperature: 1 }, code: false },
  temperature: { sampling: { sampling: "temperature", temperature: 3.33 }, code: false },
  unimax: { sampling: { sampling: "unimax", maxEpochs: 4 }, code: false },
  uniform: { sampling: { sampling: "temperature", temperature: 1e9 }, code: false },
  "unimax-code": { sampling: { sampling: "unimax", maxEpochs: 4 }, code: true },
  "no-replay": { sampling: { sampling: "unimax", maxEpochs: 4 }, code: false },
};

const meanOf = (of: Reading, arm: string, names: readonly string[]) => names.reduce((sum, name) => sum + of(arm, name), 0) / names.length;
/** What was read costs less than what was not: learned by heart. */
const gap = (of: Reading, arm: string) => of(arm, "finnish") - of(arm, "finnishRead");
const small = Object.keys(SMALL);
const large = Object.keys(LARGE);

export const afriqueLlm = defineReproduction({
  name: "afriquellm",
  title: "UniMax over unequal languages",
  source:
    "Yu et al., [AfriqueLLM: How Data Mixing and Model Architecture Impact Continued Pre-training for African Languages](https://arxiv.org/abs/2601.06395), 2026; UniMax: [Chung et al.](https://arxiv.org/abs/2304.09151), 2023",
  setup:
    "A model that has read English help pages learns five languages with 800, 800, 100, 40 and 8 kB of text (times the factor of the budget, if there is one), with the same number of tokens in every arm and a " +
    "fifth of English replayed in all but one. Proportional, temperature (τ = 3.33) and unlimited uniform sampling are the baselines of UniMax with at most four " +
    "passes. Every language is measured on the same held-out pages.",
  texts: ["english", "python-code", ...Object.keys(LANGUAGES)],
  arms: [
    { name: "proportional", label: "proportional to size" },
    { name: "temperature", label: "temperature 3.33" },
    { name: "unimax", label: "UniMax, at most 4 passes" },
    { name: "uniform", label: "uniform, any number of passes" },
    { name: "unimax-code", label: "UniMax with code" },
    { name: "no-replay", label: "UniMax without English" },
  ],
  measurements: [
    ...Object.entries(LANGUAGES).map(([key, bytes]) => ({ key, label: `${key} (${bytes / 1000} kB)`, unit: "bits per byte" })),
    { key: "finnishRead", label: "finnish, the text read", unit: "bits per byte" },
    { key: "english", label: "English", unit: "bits per byte" },
    { key: "code", label: "Python code", unit: "bits per byte" },
  ],
  claims: [
    {
      id: "small-languages",
      statement: "UniMax is better on the small languages than proportional sampling, by 3 % or more",
      quantity: "mean over the small languages: 100 · (1 − UniMax / proportional)",
      unit: "percent",
      expect: { above: 3 },
      value: (of) => 100 * (1 - meanOf(of, "unimax", small) / meanOf(of, "proportional", small)),
    },
    {
      id: "large-languages",
      statement: "On the large languages it is no worse than uniform sampling",
      quantity: "mean over the large languages: uniform − UniMax",
      unit: "bits per byte",
      expect: { above: -0.01 },
      value: (of) => meanOf(of, "uniform", large) - meanOf(of, "unimax", large),
    },
    {
      id: "overfitting",
      statement: "Unlimited repetition overfits the smallest language more than four passes",
      quantity: "Finnish, held out − read: uniform − UniMax",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => gap(of, "uniform") - gap(of, "unimax"),
    },
    {
      id: "code",
      statement: "A code component improves code",
      quantity: "code: UniMax − UniMax with code",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("unimax", "code") - of("unimax-code", "code"),
    },
    {
      id: "replay",
      statement: "Without the high-resource language of before, it is forgotten",
      quantity: "English: without − with replay",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("no-replay", "english") - of("unimax", "english"),
    },
  ],
  charts: [],
  minutes: 3.5,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    base: englishBase(settings),
    // Sizes go with the budget: otherwise a smaller one repeats nothing, and there is nothing to see.
    languages: Object.fromEntries(Object.entries(LANGUAGES).map(([name, bytes]) => [name, scaled(bytes, settings)])),
    recipe: recipeOf(arm, seed, settings),
    version: 2,
  }),
  async run({ base, languages, recipe }, context) {
    const parts = Object.fromEntries(Object.entries(languages).map(([name, bytes]) => [name, partOfText(context, name, bytes)]));
    const read = { path: parts.finnish!.path, heldOut: { path: parts.finnish!.path } };
    const corpora = { ...recipe.corpora, ...parts, finnishRead: read };
    const { final, documents } = await runRecipeCell({ ...recipe, corpora }, context, await sharedModel(base, context));
    return { measurements: final, documents };
  },
});

/** The languages' corpora are laid in by the cell: they are cut from the real texts. */
function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const { sampling, code } = ARMS[arm]!;
  const sources = [...Object.keys(LANGUAGES), ...(code ? ["code"] : [])].map((corpus) => ({ corpus }));
  return {
    name: arm,
    seed,
    model: "base",
    corpora: { english: barelyHeldOut("english"), code: barelyHeldOut("python-code") },
    ...barelyMeasured,
    train: { ...smallTrain, steps: scaled(STEPS, settings), schedule: cosine },
    stages: [
      { name: "languages", mixture: { sources, sampling, replay: arm === "no-replay" ? null : { corpora: ["english"], share: 0.2 } } },
    ],
  };
}
