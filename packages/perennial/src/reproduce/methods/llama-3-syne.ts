/** Topic mixture, curriculum and replay. Source: arXiv 2407.18743, specification `llama-3-syne`. */
import type { RecipeSpec } from "../../recipe/index.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { type CellContext, defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import { barelyHeldOut, barelyMeasured, partOfText } from "./derived-texts.ts";
import { englishBase, scaled, smallTrain } from "./small.ts";

const STEPS = 240;
const TOPICS = ["python-manual", "postgresql", "desktop", "code"] as const;
/** The rare topic has this share of the pool at the start. */
const POOL: Readonly<Record<(typeof TOPICS)[number], number>> = { "python-manual": 0.42, postgresql: 0.42, desktop: 0.12, code: 0.04 };
const ROUNDS = 8;

const perTopic = (of: Reading, arm: string) => TOPICS.map((topic) => of(arm, topic));
const meanTopic = (of: Reading, arm: string) => perTopic(of, arm).reduce((sum, value) => sum + value, 0) / TOPICS.length;

export const llama3Syne = defineReproduction({
  name: "llama-3-syne",
  title: "Topics, curriculum, replay",
  source:
    "Chen et al., [Towards Effective and Efficient Continual Pre-training of Large Language Models](https://arxiv.org/abs/2407.18743) (Llama-3-SynE), 2024",
  setup:
    "A model that has read English help pages. Topics: Python's manual, PostgreSQL's, GNOME's help and Python code (4 % of the pool), with shares that stay or follow " +
    "the held-out perplexities in eight rounds (α = 0.5). Curriculum: Basque from easy to hard by the start model's perplexity, shuffled, or from hard to easy, in one pass. Replay: Basque " +
    "alone, or 2 : 8 with English. The synthetic-data experiments (shares and error rates of questions) are not part of this run: at this size no model answers questions.",
  texts: ["english", "basque", "python-manual", "postgresql", "desktop", "python-code"],
  arms: [
    { name: "topics-static", label: "topics, shares stay" },
    { name: "topics-updated", label: "topics, shares follow" },
    { name: "easy-to-hard", label: "Basque, easy to hard" },
    { name: "shuffled", label: "Basque, shuffled" },
    { name: "hard-to-easy", label: "Basque, hard to easy" },
    { name: "replay", label: "Basque 2 : 8 English" },
  ],
  measurements: [
    ...TOPICS.map((key) => ({ key, label: key, unit: "bits per byte" })),
    { key: "basque", label: "Basque", unit: "bits per byte" },
    { key: "english", label: "English", unit: "bits per byte" },
  ],
  claims: [
    {
      id: "worst-topic",
      statement: "Shares that follow the perplexities improve the worst topic by 3 % or more",
      quantity: "worst topic: 100 · (1 − following / static)",
      unit: "percent",
      expect: { above: 3 },
      value: (of) => 100 * (1 - Math.max(...perTopic(of, "topics-updated")) / Math.max(...perTopic(of, "topics-static"))),
    },
    {
      id: "mean-topic",
      statement: "and cost no more than 1 % of the mean",
      quantity: "mean of topics: 100 · (following / static − 1) − 1, negated",
      unit: "percent",
      expect: { above: 0 },
      value: (of) => 1 - 100 * (meanTopic(of, "topics-updated") / meanTopic(of, "topics-static") - 1),
    },
    {
      id: "curriculum",
      statement: "Easy to hard ends better than hard to easy",
      quantity: "Basque: hard to easy − easy to hard",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("hard-to-easy", "basque") - of("easy-to-hard", "basque"),
    },
    {
      id: "curriculum-random",
      statement: "Easy to hard is no worse than shuffled",
      quantity: "Basque: shuffled − easy to hard",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("shuffled", "basque") - of("easy-to-hard", "basque"),
    },
    {
      id: "replay",
      statement: "Two parts of the new language to eight of the old keep the old",
      quantity: "English: Basque alone − 2 : 8",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("shuffled", "english") - of("replay", "english"),
    },
  ],
  charts: [],
  minutes: 3,
  inputs: (arm: string, seed: number, settings: Settings) => ({ base: englishBase(settings), recipe: recipeOf(arm, seed, settings) }),
  async run({ base, recipe }, context) {
    const { final, documents } = await runRecipeCell(withTexts(recipe, context), context, await sharedModel(base, context));
    return { measurements: final, documents };
  },
});

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const steps = scaled(STEPS, settings);
  const mixtures: Readonly<Record<string, RecipeSpec["stages"][number]["mixture"]>> = {
    "topics-static": { sources: TOPICS.map((corpus) => ({ corpus, share: POOL[corpus] })) },
    "topics-updated": {
      sources: TOPICS.map((corpus) => ({ corpus, share: POOL[corpus] })),
      sampling: { sampling: "topics", alpha: 0.5, deltaSpace: "logppl" },
    },
    "easy-to-hard": { sources: [{ corpus: "basque", order: { order: "perplexity", direction: "lowToHigh" } }] },
    shuffled: { sources: [{ corpus: "basque", order: { order: "perplexity", direction: "random" } }] },
    "hard-to-easy": { sources: [{ corpus: "basque", order: { order: "perplexity", direction: "highToLow" } }] },
    replay: {
      sources: [
        { corpus: "basque", share: 0.2 },
        { corpus: "english", share: 0.8 },
      ],
    },
  };
  const isTopics = arm.startsWith("topics");
  return {
    name: arm,
    seed,
    model: "base",
    corpora: {
      english: barelyHeldOut("english"),
      basque: { path: "basque" },
      code: barelyHeldOut("python-code"),
      ...Object.fromEntries(["python-manual", "postgresql", "desktop"].map((name) => [name, barelyHeldOut(name)])),
    },
    ...barelyMeasured,
    evaluate: {
      ...barelyMeasured.evaluate,
      everySteps: isTopics ? Math.max(1, Math.ceil(steps / ROUNDS)) : "never",
      ...(isTopics ? { corpora: [...TOPICS] } : { corpora: ["basque", "english"] }),
    },
    train: { ...smallTrain, steps, schedule: { schedule: "constant", maxLearningRate: 1e-3, warmupSteps: 3 } },
    stages: [{ name: "stage", mixture: mixtures[arm]! }],
  };
}

/** As much Basque as one pass takes: a curriculum that never comes to its end is another one. */
function withTexts(recipe: RecipeSpec, context: CellContext): RecipeSpec {
  const steps = Number(recipe.train!.steps);
  const bytes = Math.max(4000, Math.round(steps * smallTrain.sequenceLength * smallTrain.microBatchSize * BASQUE_BYTES_PER_TOKEN));
  return { ...recipe, corpora: { ...recipe.corpora, basque: partOfText(context, "basque", bytes) } };
}

/** Of a tokenizer that knows English only. */
const BASQUE_BYTES_PER_TOKEN = 1.9;
