/**
 * Experience replay, Reptile and both (MER) over a sequence of three languages, under one cosine.
 * Source: arXiv 2508.01908, specification `replay-gradient-alignment`.
 */
import type { RecipeSpec } from "../../recipe/index.ts";
import { type RecipeCell, runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import { englishBase, helpText, MAX_LEARNING_RATE, MIN_LEARNING_RATE, mean, scaled, smallRun, smallTrain } from "./small.ts";

const LANGUAGES = ["english", "basque", "spanish"] as const;
const STAGE_STEPS = 160;
/** Meta-updates in a stage: a window is an eighth of it, as the short runs need fewer and larger ones than the paper's 24. */
const WINDOWS = 8;
const INTERPOLATION = 0.5;

type Experience = NonNullable<NonNullable<RecipeSpec["train"]>["experience"]>;

interface ArmSettings {
  readonly share: number;
  readonly reptile: boolean;
  readonly learningRate: number;
}

const plain: ArmSettings = { share: 0, reptile: false, learningRate: 1 };
const ARMS: Readonly<Record<string, ArmSettings>> = {
  sequential: plain,
  "half-rate": { ...plain, learningRate: 0.5 },
  "replay-25": { ...plain, share: 0.25 },
  "replay-50": { ...plain, share: 0.5 },
  reptile: { ...plain, reptile: true },
  mer: { ...plain, share: 0.25, reptile: true },
};

export const replayGradientAlignment = defineReproduction({
  name: "replay-gradient-alignment",
  title: "Replay and gradient alignment",
  source:
    "Abbes et al., [Revisiting Replay and Gradient Alignment for Continual Pre-Training of Large Language Models](https://arxiv.org/abs/2508.01908), 2025",
  setup:
    "A model that has read English reads English, Basque and Spanish help pages, one after the other, under one cosine; only a buffer on the disk " +
    `remembers. Reptile goes ${INTERPOLATION} of the way at the end of each of ${WINDOWS} windows of a language. Joint: all three mixed, as many steps.`,
  texts: LANGUAGES,
  arms: [
    { name: "sequential", label: "sequential" },
    { name: "half-rate", label: "sequential, half the rate" },
    { name: "replay-25", label: "25 % replay" },
    { name: "replay-50", label: "50 % replay" },
    { name: "reptile", label: "Reptile alone" },
    { name: "mer", label: "25 % replay and Reptile (MER)" },
    { name: "joint", label: "joint" },
  ],
  measurements: [
    { key: "english", label: "English", unit: "bits per byte" },
    { key: "basque", label: "Basque", unit: "bits per byte" },
    { key: "spanish", label: "Spanish", unit: "bits per byte" },
    { key: "retained", label: "retained: mean at the end", unit: "bits per byte" },
    { key: "learned", label: "learned: mean at the end of each language", unit: "bits per byte" },
    { key: "forgetting", label: "forgetting: end − best", unit: "bits per byte" },
  ],
  claims: [
    {
      id: "replay-retains",
      statement: "A quarter of replay retains more than none",
      quantity: "retained: sequential − 25 %",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => retained(of, "sequential") - retained(of, "replay-25"),
    },
    {
      id: "more-replay-forgets-less",
      statement: "Forgetting falls with the share of replay",
      quantity: "forgetting: smaller of the falls 0 → 25 % and 25 → 50 %",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => {
        const [none, quarter, half] = ["sequential", "replay-25", "replay-50"].map((arm) => of(arm, "forgetting"));
        return Math.min(none! - quarter!, quarter! - half!);
      },
    },
    {
      id: "first-quarter-pays-most",
      statement: "The first quarter of replay is a better use of computation than the second",
      quantity: "retained: (none − 25 %) − (25 % − 50 %)",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => retained(of, "sequential") - 2 * retained(of, "replay-25") + retained(of, "replay-50"),
    },
    {
      id: "reptile-beats-lower-rate",
      statement: "Reptile alone retains more than a lower learning rate that learns as much",
      quantity: "English at Reptile's Spanish on the line through full and half rate − English of Reptile",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => {
        const slope =
          (of("half-rate", "english") - of("sequential", "english")) / (of("half-rate", "spanish") - of("sequential", "spanish"));
        return of("sequential", "english") + slope * (of("reptile", "spanish") - of("sequential", "spanish")) - of("reptile", "english");
      },
    },
    {
      id: "mer-forgets-less",
      statement: "Replay with Reptile forgets less than the same replay alone",
      quantity: "forgetting: 25 % − MER",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("replay-25", "forgetting") - of("mer", "forgetting"),
    },
    {
      id: "mer-retains",
      statement: "Replay with Reptile retains more than the same replay alone",
      quantity: "retained: 25 % − MER",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => retained(of, "replay-25") - retained(of, "mer"),
    },
  ],
  charts: LANGUAGES.slice(0, 2).map((language) => ({
    curve: language,
    title: language === "english" ? "English, read first" : "Basque, read second",
    x: "tokens",
    y: "bits per byte",
    arms: ["sequential", "half-rate", "replay-25", "replay-50", "reptile", "mer"],
  })),
  minutes: 8,
  inputs: (arm: string, seed: number, settings: Settings) => ({ base: englishBase(settings), recipe: recipeOf(arm, seed, settings) }),
  async run({ base, recipe }, context) {
    const cell = await runRecipeCell(recipe, context, await sharedModel(base, context));
    return {
      measurements: { ...cell.final, retained: mean(Object.values(cell.final)), ...sequenceMeasures(cell) },
      documents: cell.documents,
      curves: cell.curves,
    };
  },
});

const retained = (of: Reading, arm: string) => mean(LANGUAGES.map((language) => of(arm, language)));

/** Of runs that read the languages in turn: the loss when each was just learned, and how far it rose since its best. */
function sequenceMeasures({ matrix, curves }: RecipeCell): Record<string, number> {
  if (matrix.rows.length !== LANGUAGES.length + 1) return {};
  const column = (language: string) => matrix.corpora.indexOf(language);
  return {
    learned: mean(LANGUAGES.map((language, i) => matrix.values[i + 1]![column(language)]!)),
    forgetting: mean(LANGUAGES.map((language) => curves[language]!.y.at(-1)! - Math.min(...curves[language]!.y))),
  };
}

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const { share, reptile, learningRate } = ARMS[arm] ?? plain;
  const steps = scaled(STAGE_STEPS, settings);
  const cycleSteps = LANGUAGES.length * steps;
  const experience: Experience = {
    share,
    startStep: Math.round(steps / 8),
    reptile: reptile ? { everySteps: Math.max(1, Math.round(steps / WINDOWS)), interpolation: INTERPOLATION } : null,
  };
  const mixtures = LANGUAGES.map((corpus) => ({ sources: [{ corpus }] }));
  return {
    name: arm,
    seed,
    model: "base",
    corpora: Object.fromEntries(LANGUAGES.map((name) => [name, helpText(name)])),
    train: {
      ...smallTrain,
      steps: arm === "joint" ? cycleSteps : steps,
      schedule: {
        schedule: "cosine-inf",
        cycleSteps,
        maxLearningRate: MAX_LEARNING_RATE * learningRate,
        minLearningRate: MIN_LEARNING_RATE * learningRate,
        warmupShare: 0.05,
      },
      experience: share === 0 && !reptile ? null : experience,
    },
    stages:
      arm === "joint"
        ? [{ name: "joint", mixture: { sources: LANGUAGES.map((corpus) => ({ corpus, share: 1 / LANGUAGES.length })) } }]
        : mixtures.map((mixture, i) => ({ name: LANGUAGES[i]!, mixture, onStart: { optimizer: "keep", learningRate: "keep" } as const })),
    ...smallRun,
  };
}
