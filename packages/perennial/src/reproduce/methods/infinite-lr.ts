/**
 * The infinite schedule against a cosine that is warmed up again for every language.
 * Source: arXiv 2503.02844 (language-model part) and 2403.08763, specifications `infinite-lr` and `simple-scalable-cpt`.
 */
import type { RecipeSpec } from "../../recipe/index.ts";
import { runRecipeCell } from "../recipe-cell.ts";
import { defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import {
  cosine,
  englishTokenizer,
  helpText,
  MAX_LEARNING_RATE,
  MIN_LEARNING_RATE,
  mean,
  scaled,
  smallModel,
  smallRun,
  smallTrain,
} from "./small.ts";

const LANGUAGES = ["english", "basque", "spanish"] as const;
const STAGE_STEPS = [400, 200, 200] as const;
const REPLAY = 0.25;
/** Of the maximum; the source's (η_max + η_min)/2. */
const CONSTANT = (MAX_LEARNING_RATE + MIN_LEARNING_RATE) / 2;
/** Of a later stage. */
const ANNEALING_SHARE = 0.25;

export const infiniteLr = defineReproduction({
  name: "infinite-lr",
  title: "The infinite schedule",
  source:
    "Singh et al., [Beyond Cosine Decay: On the effectiveness of Infinite Learning Rate Schedule for Continual Pre-training](https://arxiv.org/abs/2503.02844), 2025",
  setup:
    "A model from scratch reads English, Basque and Spanish help pages, a quarter of each later stage replayed, optimizer state kept. Repeated cosine: " +
    "warmed up again and decayed in every stage. Infinite: warmed up once, cooled down within the first stage, constant from there; the branch that " +
    "ships is annealed over the last quarter of the last stage, the trunk is not. Two arms read English in both of two stages: what a boundary does by itself.",
  texts: LANGUAGES,
  arms: [
    { name: "cosine", label: "repeated cosine" },
    { name: "branch", label: "infinite, annealed branch" },
    { name: "trunk", label: "infinite, trunk" },
    { name: "same-cosine", label: "repeated cosine, English twice" },
    { name: "same-infinite", label: "infinite, English twice" },
  ],
  measurements: [
    ...LANGUAGES.map((key) => ({ key, label: key.charAt(0).toUpperCase() + key.slice(1), unit: "bits per byte" })),
    { key: "average", label: "mean", unit: "bits per byte" },
    { key: "boundaryRise", label: "largest rise of English after the first boundary", unit: "bits per byte" },
  ],
  claims: [
    {
      id: "better-at-the-end",
      statement: "The annealed branch is better than the repeated cosine",
      quantity: "mean of the languages: cosine − branch",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => average(of, "cosine") - average(of, "branch"),
    },
    {
      id: "no-boundary-spike",
      statement: "On the same data the re-warmed cosine has a spike at the boundary that the constant rate does not have",
      quantity: "largest rise of English: cosine − infinite",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("same-cosine", "boundaryRise") - of("same-infinite", "boundaryRise"),
    },
    {
      id: "constant-rate-stays",
      statement: "On the same data the constant rate passes the boundary as if there were none",
      quantity: "largest rise of English, infinite",
      unit: "bits per byte",
      expect: { within: 0.03 },
      value: (of) => of("same-infinite", "boundaryRise"),
    },
    {
      id: "gentler-on-the-old",
      statement: "At the boundary to another language English rises less than under the cosine",
      quantity: "largest rise of English: cosine − trunk",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("cosine", "boundaryRise") - of("trunk", "boundaryRise"),
    },
    {
      id: "annealing-pays",
      statement: "The annealed branch is better than the trunk after as many steps, on the language of its stage",
      quantity: "Spanish: trunk − branch",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("trunk", "spanish") - of("branch", "spanish"),
    },
    {
      id: "annealing-pays-all",
      statement: "… and on all languages together",
      quantity: "mean of the languages: trunk − branch",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => average(of, "trunk") - average(of, "branch"),
    },
    {
      id: "branch-equivalence",
      statement: "Until it is annealed the branch is the trunk, to the bit",
      quantity: "largest difference of a measurement before the annealing",
      unit: "bits per byte",
      expect: { within: 0 },
      value: (of) =>
        Math.max(...LANGUAGES.map((language) => Math.abs(of("branch", `${language}Before`) - of("trunk", `${language}Before`)))),
    },
  ],
  charts: [
    { curve: "english", title: "English, read first", x: "tokens", y: "bits per byte" },
    { curve: "basque", title: "Basque, read second", x: "tokens", y: "bits per byte", arms: ["cosine", "branch", "trunk"] },
  ],
  minutes: 8,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    recipe: recipeOf(arm, seed, settings),
    annealAt: annealAt(settings) * smallTrain.microBatchSize * smallTrain.sequenceLength,
  }),
  async run({ recipe, annealAt }, context) {
    const { final, documents, curves, matrix } = await runRecipeCell(recipe, context);
    const english = curves.english!;
    const boundary = english.y.indexOf(matrix.values[1]![matrix.corpora.indexOf("english")]!);
    const before = Object.entries(curves).map(([language, { x, y }]) => [
      `${language}Before`,
      y[x.findLastIndex((tokens) => tokens <= annealAt)]!,
    ]);
    return {
      measurements: {
        ...final,
        average: mean(Object.values(final)),
        boundaryRise: Math.max(...english.y.slice(boundary + 1)) - english.y[boundary]!,
        ...Object.fromEntries(before),
      },
      documents,
      curves,
    };
  },
});

const average = (of: Reading, arm: string) => mean(LANGUAGES.map((language) => of(arm, language)));

const stageSteps = (settings: Settings) => STAGE_STEPS.map((steps) => scaled(steps, settings));

const annealAt = (settings: Settings) => {
  const steps = stageSteps(settings);
  return steps.reduce((sum, count) => sum + count, 0) - Math.round(steps.at(-1)! * ANNEALING_SHARE);
};

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const isSame = arm.startsWith("same");
  const isCosine = arm.endsWith("cosine");
  const steps = stageSteps(settings);
  const infinite = {
    schedule: "infinite",
    maxLearningRate: MAX_LEARNING_RATE,
    minLearningRate: MIN_LEARNING_RATE,
    constantLearningRate: CONSTANT,
    warmupSteps: Math.round(0.05 * steps[0]!),
    cooldownSteps: Math.round(0.6 * steps[0]!),
    annealAt: arm === "branch" ? annealAt(settings) : "never",
    annealingSteps: Math.round(steps.at(-1)! * ANNEALING_SHARE),
  } as const;
  const stages = (isSame ? ["english", "english"] : LANGUAGES).map((corpus, i) => ({
    name: `${i + 1} ${corpus}`,
    mixture: {
      sources: [{ corpus }],
      replay: i === 0 || isSame ? null : { corpora: LANGUAGES.slice(0, i), share: REPLAY },
    },
    train: { steps: steps[i]! },
    onStart: { optimizer: "keep", learningRate: isCosine ? "rewarm" : "keep" } as const,
  }));
  return {
    name: arm,
    seed,
    model: smallModel(settings),
    tokenizer: englishTokenizer,
    corpora: Object.fromEntries(LANGUAGES.map((name) => [name, helpText(name)])),
    train: { ...smallTrain, schedule: isCosine ? cosine : infinite },
    stages,
    ...smallRun,
    evaluate: { ...smallRun.evaluate, atSteps: [10, 20, 30], corpora: isSame ? ["english"] : [...LANGUAGES] },
  };
}
