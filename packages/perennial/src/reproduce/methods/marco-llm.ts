/** Two protective stages, and templated pairs in the mixture. Source: arXiv 2412.04003, specification `marco-llm`. */
import { parallelTransformSchema } from "../../mixture/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { openModel } from "../../run/index.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { type CellContext, defineReproduction, type Reading, type Settings } from "../reproduction.ts";
import { conditionalLoss } from "./conditional-loss.ts";
import { alignedPages, barelyHeldOut, barelyMeasured, derivedText, pagesOf, partOfText } from "./derived-texts.ts";
import { englishBase, scaled, smallTrain } from "./small.ts";

const STEPS = 240;
const LOW = { german: "German", italian: "Italian", finnish: "Finnish" } as const;
const BYTES = 300_000;

/** A third of the base's rate, and 0.6 of that in the second stage. */
const RATE = 1e-3;
/** Shares of the two stages: the low-resource group grows by 5/3, as in the paper's tables. */
const SHARES = [
  { high: 0.7, low: 0.3, parallel: 0 },
  { high: 0.5, low: 0.5, parallel: 0 },
] as const;
const PARALLEL = 0.15;

const low = (of: Reading, arm: string) => Object.keys(LOW).reduce((sum, name) => sum + of(arm, name), 0) / Object.keys(LOW).length;
const lowBase = (of: Reading, arm: string) =>
  Object.keys(LOW).reduce((sum, name) => sum + of(arm, `${name}Before`), 0) / Object.keys(LOW).length;
const forgotten = (of: Reading, arm: string) => of(arm, "english") - of(arm, "englishBefore");

export const marcoLlm = defineReproduction({
  name: "marco-llm",
  title: "Two stages and templated pairs",
  source:
    "Ming et al., [Marco-LLM: Bridging Languages via Massive Multilingual Training for Cross-Lingual Enhancement](https://arxiv.org/abs/2412.04003), 2024",
  setup:
    "A model that has read English help pages goes on with English (the high-resource language) and 300 kB each of German, Italian and Finnish. Two stages: 70 % English " +
    "at 1e-3, then 50 % at 6e-4. Baselines with the same number of tokens: one stage with the first stage's shares and rate, and the low-resource languages alone. One more arm gives " +
    "15 % of both stages to sentence pairs in the paper's templates. Translation: nats per token of held-out lines after their English ones, in template B.",
  texts: ["english", ...Object.keys(LOW)],
  arms: [
    { name: "two-stage", label: "two stages" },
    { name: "one-stage", label: "one stage" },
    { name: "low-only", label: "low-resource only" },
    { name: "parallel", label: "two stages, templated pairs" },
  ],
  measurements: [
    ...Object.values(LOW).map((label) => ({ key: label.toLowerCase(), label, unit: "bits per byte" })),
    { key: "english", label: "English", unit: "bits per byte" },
    { key: "translation", label: "translation from English", unit: "nats per token" },
  ],
  claims: [
    {
      id: "learns",
      statement: "The two-stage recipe improves the low-resource languages clearly",
      quantity: "mean of the low-resource languages: before − after",
      unit: "bits per byte",
      expect: { above: 0.15 },
      value: (of) => lowBase(of, "two-stage") - low(of, "two-stage"),
    },
    {
      id: "keeps",
      statement: "The high-resource language hardly rises",
      quantity: "English: 0.02 − (after − before)",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => 0.02 - forgotten(of, "two-stage"),
    },
    {
      id: "low-only-forgets",
      statement: "Low-resource text alone forgets more than the two stages",
      quantity: "rise of English: low-resource only − two stages",
      unit: "bits per byte",
      expect: { above: 0.1 },
      value: (of) => forgotten(of, "low-only") - forgotten(of, "two-stage"),
    },
    {
      id: "second-stage",
      statement: "The second stage, richer in low-resource text, helps these languages beside one stage",
      quantity: "mean of the low-resource languages: one stage − two stages",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => low(of, "one-stage") - low(of, "two-stage"),
    },
    {
      id: "pairs",
      statement: "Templated pairs make translations likelier",
      quantity: "translation: without − with pairs",
      unit: "nats per token",
      expect: { above: 0 },
      value: (of) => of("two-stage", "translation") - of("parallel", "translation"),
    },
  ],
  charts: [],
  minutes: 2,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    base: englishBase(settings),
    bytes: BYTES,
    recipe: recipeOf(arm, seed, settings),
  }),
  async run({ base, recipe }, context) {
    const { final, documents, matrix, modelFolder } = await runRecipeCell(
      withTexts(recipe, context),
      context,
      await sharedModel(base, context),
    );
    const before = Object.fromEntries(matrix.corpora.map((corpus, i) => [`${corpus}Before`, matrix.values[0]![i]!]));
    return { measurements: { ...final, ...before, translation: await translationLoss(modelFolder) }, documents };
  },
});

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  const stage = (name: string, steps: number, shares: Readonly<Record<string, number>>, rate: number) => ({
    name,
    mixture: {
      sources: [
        ...(shares.high! > 0 ? [{ corpus: "english", group: "high" }] : []),
        ...Object.keys(LOW).map((corpus) => ({ corpus, group: "low" })),
        ...(shares.parallel! > 0 ? Object.keys(LOW).map((corpus) => ({ corpus: `${corpus}-pairs`, group: "parallel" })) : []),
      ],
      sampling: { sampling: "groups" as const, shares: Object.fromEntries(Object.entries(shares).filter(([, share]) => share > 0)) },
    },
    train: {
      ...smallTrain,
      steps: scaled(steps, settings),
      schedule: { schedule: "constant" as const, maxLearningRate: rate, warmupSteps: 3 },
    },
    onStart: { optimizer: "keep" as const },
  });
  const withPairs = (shares: (typeof SHARES)[number]) => ({
    high: shares.high * (1 - PARALLEL),
    low: shares.low * (1 - PARALLEL),
    parallel: PARALLEL,
  });
  const [first, second] = arm === "parallel" ? [withPairs(SHARES[0]), withPairs(SHARES[1])] : SHARES;
  const stages: Readonly<Record<string, RecipeSpec["stages"]>> = {
    "one-stage": [stage("one", STEPS, SHARES[0], RATE)],
    "low-only": [stage("low", STEPS, { high: 0, low: 1, parallel: 0 }, RATE)],
  };
  // 160 of 300 parts for the first stage, as in the paper.
  const firstSteps = Math.round((STEPS * 160) / 300);
  return {
    name: arm,
    seed,
    model: "base",
    corpora: { english: barelyHeldOut("english") },
    ...barelyMeasured,
    stages: stages[arm] ?? [stage("first", firstSteps, first!, RATE), stage("second", STEPS - firstSteps, second!, 0.6 * RATE)],
  };
}

function withTexts(recipe: RecipeSpec, context: CellContext): RecipeSpec {
  const corpora: RecipeSpec["corpora"] = { ...recipe.corpora };
  for (const [name, language] of Object.entries(LOW)) {
    corpora[name] = partOfText(context, name, BYTES);
    const lines = derivedText(context, `${name}-english-lines`, () =>
      alignedPages(name, "english").flatMap((page) => page.lines.map(([line, english]) => ({ text: line, english }))),
    );
    const transform = parallelTransformSchema.parse({
      transform: "parallel",
      format: "templates",
      fields: { text: language, english: "English" },
    });
    corpora[`${name}-pairs`] = { path: lines, transform, heldOut: "none" };
  }
  return { ...recipe, corpora };
}

const TEST_PAIRS = 25;

/** Of held-out pages' lines, none of which is in the training pairs. */
async function translationLoss(modelFolder: string): Promise<number> {
  const english = new Map(pagesOf("english").map(({ id, text }) => [id, text.split("\n")]));
  const { model, tokenizer } = await openModel(modelFolder);
  try {
    let [lossSum, tokens] = [0, 0];
    for (const [name, language] of Object.entries(LOW)) {
      let pairs = 0;
      for (const [i, { id, text }] of pagesOf(name).entries()) {
        const lines = text.split("\n");
        const others = english.get(id);
        if (i % 40 !== 39 || others?.length !== lines.length) continue;
        for (const [k, line] of lines.entries()) {
          if (pairs >= TEST_PAIRS || line === others[k] || line.length < 20 || line.length > 120) continue;
          const context = tokenizer.encode(`English text: ${others[k]}\n${language} text:`);
          const target = tokenizer.encode(` ${line}`);
          if (context.length + target.length > smallTrain.sequenceLength) continue;
          const cost = conditionalLoss(model, [...context], [...target]);
          lossSum += cost.lossSum;
          tokens += cost.tokens;
          pairs++;
        }
      }
    }
    return lossSum / tokens;
  } finally {
    model.dispose();
  }
}
