/** Topic mixture, synthetic questions, curriculum and replay. Source: arXiv 2407.18743, specification `llama-3-syne`. */
import { questionTransformSchema } from "../../mixture/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { stream } from "../../stream.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { type CellContext, defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import { barelyHeldOut, barelyMeasured, derivedText, pagesOf, piecesOf, trainingPages } from "./derived-texts.ts";
import { missingWords } from "./missing-words.ts";
import { englishBase, helpText, mean, scaled, smallTrain } from "./small.ts";

const STEPS = 240;
const TOPICS = ["python-manual", "postgresql", "desktop", "code"] as const;
const MANUALS = ["python-manual", "postgresql", "desktop"] as const;
/** The rare topic, which is also the hardest, has this share of the pool. */
const POOL: Readonly<Record<(typeof TOPICS)[number], number>> = { "python-manual": 0.04, postgresql: 0.42, desktop: 0.12, code: 0.42 };
const ROUNDS = 8;

/** Share of synthetic questions, and of wrong answers among them. */
const SYNTHETIC: Readonly<Record<string, { share: number; wrong: number }>> = {
  "synthetic-0": { share: 0, wrong: 0 },
  "synthetic-20": { share: 0.2, wrong: 0 },
  "synthetic-40": { share: 0.4, wrong: 0 },
  "errors-30": { share: 0.2, wrong: 0.3 },
  "errors-60": { share: 0.2, wrong: 0.6 },
};

const perTopic = (of: Reading, arm: string) => TOPICS.map((topic) => of(arm, topic));
const meanTopic = (of: Reading, arm: string) => perTopic(of, arm).reduce((sum, value) => sum + value, 0) / TOPICS.length;

export const llama3Syne = defineReproduction({
  name: "llama-3-syne",
  title: "Topics, curriculum, replay",
  source:
    "Chen et al., [Towards Effective and Efficient Continual Pre-training of Large Language Models](https://arxiv.org/abs/2407.18743) (Llama-3-SynE), 2024",
  setup:
    "Topics: a model that has read Python's manual, PostgreSQL's, GNOME's help and Python code in equal parts goes on with a pool in which Python's manual is rare (4 %), with shares that stay or follow " +
    "the held-out perplexities in eight rounds (α = 0.5). Synthetic data: the same model goes on with the three manuals and none, 20 or 40 % of questions about a missing word, made from their pages, up to 60 % of them " +
    "with another question's answer; measured by which of four words it holds likeliest for questions about held-out pages. Curriculum: a model that has read English help pages reads Basque ones from easy to hard by its own perplexity, " +
    "shuffled, or from hard to easy, in one pass, other pages for each seed. Replay: Basque alone, or 2 : 8 with English.",
  texts: ["english", "basque", "python-manual", "postgresql", "desktop", "python-code"],
  arms: [
    { name: "topics-static", label: "topics, shares stay" },
    { name: "topics-updated", label: "topics, shares follow" },
    { name: "synthetic-0", label: "manuals, no questions" },
    { name: "synthetic-20", label: "20 % questions" },
    { name: "synthetic-40", label: "40 % questions" },
    { name: "errors-30", label: "20 % questions, 30 % of them wrong" },
    { name: "errors-60", label: "20 % questions, 60 % of them wrong" },
    { name: "easy-to-hard", label: "Basque, easy to hard" },
    { name: "shuffled", label: "Basque, shuffled" },
    { name: "hard-to-easy", label: "Basque, hard to easy" },
    { name: "replay", label: "Basque 2 : 8 English" },
  ],
  measurements: [
    ...TOPICS.map((key) => ({ key, label: key, unit: "bits per byte" })),
    { key: "cloze", label: "missing words found (chance: 25)", unit: "percent", digits: 1 },
    { key: "answer", label: "missing word", unit: "nats per token" },
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
      id: "synthetic",
      statement: "A fifth of synthetic questions is better than none",
      quantity: "missing words found: 20 % − none",
      unit: "points",
      expect: { above: 0 },
      value: (of) => of("synthetic-20", "cloze") - of("synthetic-0", "cloze"),
    },
    {
      id: "not-more",
      statement: "A fifth is better than two",
      quantity: "missing words found: 20 % − 40 %",
      unit: "points",
      expect: { above: 0 },
      value: (of) => of("synthetic-20", "cloze") - of("synthetic-40", "cloze"),
    },
    {
      id: "errors-30",
      statement: "30 % of wrong answers leave more than half of the gain",
      quantity: "missing words found, above none: 30 % wrong − half of none wrong",
      unit: "points",
      expect: { above: 0 },
      value: (of) => of("errors-30", "cloze") - of("synthetic-0", "cloze") - (of("synthetic-20", "cloze") - of("synthetic-0", "cloze")) / 2,
    },
    {
      id: "errors-60",
      statement: "60 % are worse than 30 %",
      quantity: "missing words found: 30 % wrong − 60 % wrong",
      unit: "points",
      expect: { above: 0 },
      value: (of) => of("errors-30", "cloze") - of("errors-60", "cloze"),
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
  minutes: 7,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    base: isAboutTopics(arm) ? topicsBase(settings) : englishBase(settings),
    recipe: recipeOf(arm, seed, settings),
    version: 2,
  }),
  async run({ base, recipe }, context) {
    const start = await sharedModel(base, context);
    const placed =
      recipe.name in SYNTHETIC ? withQuestions(recipe, context) : isAboutTopics(recipe.name) ? recipe : withBasque(recipe, context);
    const { final, documents, modelFolder } = await runRecipeCell(placed, context, start);
    const found = recipe.name in SYNTHETIC ? await missingWords(modelFolder, MANUALS) : undefined;
    return {
      measurements: { ...final, ...(found === undefined ? {} : { cloze: mean(found.found), answer: found.nats }) },
      documents: { ...documents, ...(found === undefined ? {} : { cloze: found.found }) },
    };
  },
});

const isAboutTopics = (arm: string) => arm.startsWith("topics") || arm in SYNTHETIC;

const topicCorpora = Object.fromEntries(TOPICS.map((topic) => [topic, helpText(topic === "code" ? "python-code" : topic)]));

/** Topics that the model knows: only then does a rise of the perplexity tell what is being forgotten. */
function topicsBase(settings: Settings): RecipeSpec {
  return {
    ...englishBase(settings),
    name: "topics-base",
    tokenizer: { train: { vocabSize: 2048, corpora: [...TOPICS] } },
    corpora: topicCorpora,
    stages: [{ name: "topics", mixture: { sources: TOPICS.map((corpus) => ({ corpus, share: 1 / TOPICS.length })) } }],
  };
}

function mixtureOf(arm: string): RecipeSpec["stages"][number]["mixture"] {
  const topics = TOPICS.map((corpus) => ({ corpus, share: POOL[corpus] }));
  const curriculum = (direction: "lowToHigh" | "random" | "highToLow") => ({
    sources: [{ corpus: "basque", order: { order: "perplexity" as const, direction } }],
  });
  switch (arm) {
    case "topics-static":
      return { sources: topics };
    case "topics-updated":
      return { sources: topics, sampling: { sampling: "topics", alpha: 0.5, deltaSpace: "logppl" } };
    case "easy-to-hard":
      return curriculum("lowToHigh");
    case "shuffled":
      return curriculum("random");
    case "hard-to-easy":
      return curriculum("highToLow");
    case "replay":
      return { sources: [{ corpus: "basque", share: 0.2 }, { corpus: "english", share: 0.8 }] }; // biome-ignore format: one line
    default: {
      const { share } = SYNTHETIC[arm]!;
      const manuals = MANUALS.map((corpus) => ({ corpus, share: (1 - share) / MANUALS.length }));
      return { sources: share === 0 ? manuals : [...manuals, { corpus: "questions", share }] };
    }
  }
}

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const steps = scaled(STEPS, settings);
  const isTopics = arm.startsWith("topics");
  const measured = isTopics ? [...TOPICS] : arm in SYNTHETIC ? [...MANUALS] : ["basque", "english"];
  return {
    name: arm,
    seed,
    model: "base",
    // What a cell makes for itself (Basque pages, questions) is placed when it runs.
    corpora: isAboutTopics(arm) ? topicCorpora : { english: barelyHeldOut("english"), basque: { path: "basque" } },
    ...barelyMeasured,
    evaluate: { ...barelyMeasured.evaluate, everySteps: isTopics ? Math.max(1, Math.ceil(steps / ROUNDS)) : "never", corpora: measured },
    train: { ...smallTrain, steps, schedule: { schedule: "constant", maxLearningRate: 1e-3, warmupSteps: 3 } },
    stages: [{ name: "stage", mixture: mixtureOf(arm) }],
  };
}

/** As much Basque as one pass takes: a curriculum that never comes to its end is another one. Other pages for each seed. */
function withBasque(recipe: RecipeSpec, context: CellContext): RecipeSpec {
  const steps = Number(recipe.train!.steps);
  const bytes = Math.max(4000, Math.round(steps * smallTrain.sequenceLength * smallTrain.microBatchSize * BASQUE_BYTES_PER_TOKEN));
  const isHeldOut = (i: number) => i % 10 === 9;
  const path = derivedText(context, `basque-${bytes}-seed${recipe.seed}`, () => {
    const pages = stream(recipe.seed!, "Basque pages").shuffle(pagesOf("basque").filter((_, i) => !isHeldOut(i)));
    let taken = 0;
    return pages.flatMap(({ id, text }) => {
      const part = text.slice(0, Math.max(0, bytes - taken));
      taken += Buffer.byteLength(part);
      return part === "" ? [] : [{ id, text: part }];
    });
  });
  // The beginnings of many pages: one long page would decide by itself.
  const heldOut = derivedText(context, "basque-beginnings", () =>
    pagesOf("basque")
      .filter((_, i) => isHeldOut(i))
      .map(({ id, text }) => ({ id, text: text.slice(0, HELD_OUT_CHARACTERS) })),
  );
  return { ...recipe, corpora: { ...recipe.corpora, basque: { path, heldOut: { path: heldOut } } } };
}

/** Of a tokenizer that knows English only. */
const BASQUE_BYTES_PER_TOKEN = 1.9;
const HELD_OUT_CHARACTERS = 1000;

/** Questions about the pages that the manuals' training parts have, in pieces. */
function withQuestions(recipe: RecipeSpec, context: CellContext): RecipeSpec {
  const { share, wrong } = SYNTHETIC[recipe.name]!;
  if (share === 0) return recipe;
  const path = derivedText(context, "manual-pieces", () => piecesOf(MANUALS.flatMap((name) => trainingPages(name))));
  const transform = questionTransformSchema.parse({ transform: "questions", corrupt: wrong, seed: recipe.seed });
  return { ...recipe, corpora: { ...recipe.corpora, questions: { path, transform, heldOut: "none" } } };
}
