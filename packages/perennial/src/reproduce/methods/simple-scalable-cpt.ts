/**
 * Re-warming, re-decaying and replay against their baselines: a model that knows English learns Basque.
 * Source: arXiv 2403.08763, specification `simple-scalable-cpt`.
 */
import type { RecipeSpec } from "../../recipe/index.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import {
  BASE_STEPS,
  cosine,
  englishBase,
  englishTokenizer,
  helpText,
  MIN_LEARNING_RATE,
  scaled,
  smallModel,
  smallRun,
  smallTrain,
} from "./small.ts";

const NEW_STEPS = 300;
const REPLAY: Readonly<Record<string, number>> = { "replay-5": 0.05, "replay-25": 0.25, "replay-50": 0.5 };

const average = (of: Reading, arm: string) => (of(arm, "english") + of(arm, "basque")) / 2;

export const simpleScalableCpt = defineReproduction({
  name: "simple-scalable-cpt",
  title: "Re-warming and replay",
  source:
    "Ibrahim et al., [Simple and Scalable Strategies to Continually Pre-train Large Language Models](https://arxiv.org/abs/2403.08763), 2024",
  setup:
    "A model that has read English help pages learns Basque ones, with the same number of tokens in every arm. The baselines: the learning rate " +
    "left where the first training ended, and a model trained from scratch on the text of both trainings, mixed, with the steps of both. One arm " +
    "re-warms on English itself.",
  texts: ["english", "basque"],
  arms: [
    { name: "constant", label: "constant η_min" },
    { name: "rewarm", label: "re-warmed, no replay" },
    { name: "replay-5", label: "re-warmed, 5 % replay" },
    { name: "replay-25", label: "re-warmed, 25 % replay" },
    { name: "replay-50", label: "re-warmed, 50 % replay" },
    { name: "joint", label: "both from scratch" },
    { name: "same", label: "re-warmed on English again" },
  ],
  measurements: [
    { key: "english", label: "English", unit: "bits per byte" },
    { key: "basque", label: "Basque", unit: "bits per byte" },
    { key: "average", label: "mean of both", unit: "bits per byte" },
    { key: "englishPeak", label: "largest rise of English on the way", unit: "bits per byte" },
  ],
  claims: [
    {
      id: "rewarm-learns",
      statement: "Re-warming learns the new data better than a constant minimal rate",
      quantity: "Basque: constant − re-warmed",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("constant", "basque") - of("rewarm", "basque"),
    },
    {
      id: "rewarm-forgets",
      statement: "Re-warming alone forgets more than a constant minimal rate",
      quantity: "English: re-warmed − constant",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("rewarm", "english") - of("constant", "english"),
    },
    {
      id: "replay-retains",
      statement: "Five percent of replay retains the old data better than none",
      quantity: "English: no replay − 5 %",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("rewarm", "english") - of("replay-5", "english"),
    },
    {
      id: "replay-is-cheap",
      statement: "Five percent of replay costs next to nothing on the new data",
      quantity: "Basque: 5 % − no replay",
      unit: "bits per byte",
      expect: { within: 0.05 },
      value: (of) => of("replay-5", "basque") - of("rewarm", "basque"),
    },
    {
      id: "more-replay-retains-more",
      statement: "The more replay, the less is forgotten",
      quantity: "English: smallest fall from one share of replay (0, 5, 25, 50 %) to the next",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => {
        const losses = ["rewarm", "replay-5", "replay-25", "replay-50"].map((arm) => of(arm, "english"));
        return Math.min(...losses.slice(1).map((loss, i) => losses[i]! - loss));
      },
    },
    {
      id: "replay-average",
      statement: "Under a strong shift, 25 % of replay is better on average than none",
      quantity: "mean of both: no replay − 25 %",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => average(of, "rewarm") - average(of, "replay-25"),
    },
    {
      id: "matches-joint",
      statement: "With 25 % of replay the model matches one that was trained on everything from scratch",
      quantity: "mean of both: 25 % − from scratch",
      unit: "bits per byte",
      expect: { within: 0.1 },
      value: (of) => average(of, "replay-25") - average(of, "joint"),
    },
    {
      id: "rewarming-alone-hurts",
      statement: "Re-warming on the very same data raises its loss on the way",
      quantity: "English: largest rise above the start",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("same", "englishPeak"),
    },
  ],
  charts: [
    {
      curve: "english",
      title: "English, the old language",
      x: "tokens",
      y: "bits per byte",
      arms: ["constant", "rewarm", "replay-5", "replay-25", "replay-50", "same"],
    },
    {
      curve: "basque",
      title: "Basque, the new language",
      x: "tokens",
      y: "bits per byte",
      arms: ["constant", "rewarm", "replay-5", "replay-25", "replay-50"],
    },
  ],
  minutes: 8,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    base: englishBase(settings),
    recipe: arm === "joint" ? joint(seed, settings) : continued(arm, seed, settings),
  }),
  async run({ base, recipe }, context) {
    const isFresh = recipe.model !== "base";
    const { final, documents, curves } = await runRecipeCell(recipe, context, isFresh ? undefined : await sharedModel(base, context));
    const english = curves.english!.y;
    return {
      measurements: {
        ...(final as { english: number; basque: number }),
        average: (final.english! + final.basque!) / 2,
        ...(isFresh ? {} : { englishPeak: Math.max(...english) - english[0]! }),
      },
      documents,
      curves,
    };
  },
});

function continued(arm: string, seed: number, settings: Settings): RecipeSpec {
  const share = REPLAY[arm] ?? 0;
  const schedule = arm === "constant" ? ({ schedule: "constant", maxLearningRate: MIN_LEARNING_RATE, warmupSteps: 0 } as const) : cosine;
  return {
    ...shared(arm, seed),
    model: "base",
    train: { ...smallTrain, steps: scaled(NEW_STEPS, settings), schedule },
    stages: [
      {
        name: "new",
        mixture: {
          sources: [{ corpus: arm === "same" ? "english" : "basque" }],
          replay: share === 0 ? null : { corpora: ["english"], share },
        },
      },
    ],
  };
}

/** The steps of both trainings, and as much of each language as both have: the text of the two, mixed. */
function joint(seed: number, settings: Settings): RecipeSpec {
  const [old, fresh] = [scaled(BASE_STEPS, settings), scaled(NEW_STEPS, settings)];
  return {
    ...shared("joint", seed),
    model: smallModel(settings),
    tokenizer: englishTokenizer,
    train: { ...smallTrain, steps: old + fresh, schedule: cosine },
    stages: [
      {
        name: "both",
        mixture: {
          sources: [
            { corpus: "english", share: old / (old + fresh) },
            { corpus: "basque", share: fresh / (old + fresh) },
          ],
        },
      },
    ],
  };
}

const shared = (name: string, seed: number) => ({
  name,
  seed,
  corpora: { english: helpText("english"), basque: helpText("basque") },
  ...smallRun,
  evaluate: { ...smallRun.evaluate, everySteps: name === "joint" ? 400 : 50, atSteps: name === "joint" ? [] : [10, 20, 30] },
});
