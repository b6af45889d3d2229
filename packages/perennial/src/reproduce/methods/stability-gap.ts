/**
 * A small, well chosen subset in a mixture near to the pre-training text, against one pass over a large noisy pool.
 * Source: arXiv 2406.14833, specification `stability-gap`.
 */
import { stabilityGap as measureGap } from "../../evaluate/continual/index.ts";
import { NgramModel, selectByPerplexity } from "../../mixture/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { stream } from "../../stream.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { type CellContext, defineReproduction, type Settings } from "../reproduction.ts";
import { derivedText, type Page, pagesOf } from "./derived-texts.ts";
import { cosine, englishBase, helpText, scaled, smallRun, smallTrain } from "./small.ts";

const TARGET = "spanish";
const POOL = [TARGET, "french", "german", "italian", "basque"] as const;
/** Of each language in the pool: the target is a fifth of it. */
const POOL_BYTES = 350_000;
const REFERENCE_BYTES = 60_000;
const STEPS = 250;
/** Steps of the strategies, and of the pool's text the subset: the source's 20 of 50 billion tokens, and 10 %; here the target's share. */
const SUBSET_STEPS = 0.4;
const SUBSET_SHARE = 0.2;

/** What an arm reads, and how much English with it. */
const ARMS = {
  pool: { text: "pool", replay: 0, steps: 1 },
  "pool-replay": { text: "pool", replay: 0.1, steps: 1 },
  random: { text: "random", replay: 0, steps: SUBSET_STEPS },
  best: { text: "best", replay: 0, steps: SUBSET_STEPS },
  strategies: { text: "best", replay: 0.25, steps: SUBSET_STEPS },
} as const;
type ArmName = keyof typeof ARMS;

export const stabilityGap = defineReproduction({
  name: "stability-gap",
  title: "The stability gap",
  source: "Guo et al., [Efficient Continual Pre-training by Mitigating the Stability Gap](https://arxiv.org/abs/2406.14833), 2024",
  setup:
    "A model that has read English help pages is to learn Spanish from a pool of help pages in five languages, a fifth of them Spanish. Pool: one " +
    "pass, without and with 10 % of English. The strategies take 40 % of those steps, several epochs over a fifth of the pool: a random one; the one of " +
    "lowest perplexity under a model of byte 5-grams of other Spanish pages; and that one with 25 % of English.",
  texts: ["english", ...POOL],
  arms: [
    { name: "pool", label: "whole pool, one pass" },
    { name: "pool-replay", label: "whole pool, 10 % English" },
    { name: "random", label: "I: random subset" },
    { name: "best", label: "I + II: best subset" },
    { name: "strategies", label: "I + II + III: best subset, 25 % English" },
  ],
  measurements: [
    { key: "english", label: "English", unit: "bits per byte" },
    { key: TARGET, label: "Spanish", unit: "bits per byte" },
    { key: "depth", label: "depth of the gap in English", unit: "bits per byte" },
    { key: "deepest", label: "deepest at", unit: "tokens", digits: 0 },
    { key: "recovery", label: "recovered at", unit: "tokens", digits: 0 },
    { key: "precision", label: "Spanish in the text read", unit: "share of documents", digits: 2 },
  ],
  claims: [
    {
      id: "selector",
      statement: "Perplexity finds the domain: at least 80 % of the best fifth is Spanish",
      quantity: "share of documents",
      unit: "share",
      expect: { above: 0.8 },
      value: (of) => of("best", "precision"),
    },
    {
      id: "better-domain",
      statement: "With 40 % of the steps the strategies learn the domain better than one pass over the pool",
      quantity: "Spanish: pool − strategies",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("pool", TARGET) - of("strategies", TARGET),
    },
    {
      id: "better-general",
      statement: "… and keep the general ability better",
      quantity: "English: pool − strategies",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("pool", "english") - of("strategies", "english"),
    },
    {
      id: "best-beats-random",
      statement: "The best subset teaches more than a random one",
      quantity: "Spanish: random − best",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("random", TARGET) - of("best", TARGET),
    },
    {
      id: "mixture-lowers-gap",
      statement: "A mixture with pre-training text makes the gap less deep",
      quantity: "depth: best − strategies",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("best", "depth") - of("strategies", "depth"),
    },
    {
      id: "beats-replay",
      statement: "The strategies learn the domain better than the pool with 10 % of replay",
      quantity: "Spanish: pool with replay − strategies",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("pool-replay", TARGET) - of("strategies", TARGET),
    },
  ],
  charts: [
    { curve: "english", title: "English: the gap", x: "tokens", y: "bits per byte" },
    { curve: TARGET, title: "Spanish: the domain", x: "tokens", y: "bits per byte" },
  ],
  minutes: 3,
  inputs: (arm: string, seed: number, settings: Settings) => {
    const { text, replay, steps } = ARMS[arm as ArmName];
    return { base: englishBase(settings), text, seed, recipe: recipeOf(arm, replay, scaled(STEPS * steps, settings), seed), version: 2 };
  },
  async run({ base, text, seed, recipe }, context) {
    const texts = textsOf(text, seed, context);
    const placed = {
      ...recipe,
      corpora: { ...recipe.corpora, new: { path: texts.path, heldOut: "none" as const }, [TARGET]: texts.target },
    };
    const { final, documents, curves } = await runRecipeCell(placed, context, await sharedModel(base, context));
    const { x, y } = curves.english!;
    const gap = measureGap(x.map((tokens, i) => ({ tokens, score: -y[i]! })));
    return {
      measurements: {
        english: final.english!,
        [TARGET]: final[TARGET]!,
        depth: gap.depth,
        precision: texts.precision,
        ...(gap.location === null ? {} : { deepest: gap.location }),
        ...(gap.recovery === null ? {} : { recovery: gap.recovery }),
      },
      documents,
      curves: { english: curves.english!, [TARGET]: curves[TARGET]! },
    };
  },
});

function recipeOf(name: string, replay: number, steps: number, seed: number): RecipeSpec {
  return {
    name,
    seed,
    model: "base",
    // `new` and the target are placed where the cell has made them.
    corpora: { english: helpText("english"), new: { path: "-" }, [TARGET]: { path: "-" } },
    train: { ...smallTrain, steps, schedule: cosine },
    stages: [
      { name: "new", mixture: { sources: [{ corpus: "new" }], replay: replay === 0 ? null : { corpora: ["english"], share: replay } } },
    ],
    ...smallRun,
    evaluate: { ...smallRun.evaluate, atSteps: [2, 5, 10, 20, 30], corpora: ["english", TARGET] },
  };
}

interface Labeled extends Page {
  readonly language: string;
}

/** Every tenth page of the target is held out, every tenth one is the reference, in order; the rest is the pool. */
function textsOf(text: "pool" | "random" | "best", seed: number, context: CellContext) {
  const pool = POOL.flatMap((language) =>
    upTo(
      pagesOf(language).filter((_, i) => i % 10 > 1),
      POOL_BYTES,
    ).map((page) => ({ ...page, language })),
  );
  const chosen =
    text === "pool"
      ? pool
      : text === "best"
        ? bestOf(pool)
        : upTo(stream(seed, "random subset").shuffle([...pool]), SUBSET_SHARE * bytesOf(pool));
  const heldOut = derivedText(context, `${TARGET}-tenth`, () => pagesOf(TARGET).filter((_, i) => i % 10 === 0));
  return {
    path: derivedText(context, `gap2-${text}${text === "random" ? `-${seed}` : ""}`, () => chosen),
    target: { path: heldOut, heldOut: { path: heldOut } },
    precision: chosen.filter(({ language }) => language === TARGET).length / chosen.length,
  };
}

function bestOf(pool: readonly Labeled[]): Labeled[] {
  const ngrams = new NgramModel({ order: 5, unit: "byte" });
  for (const { text } of upTo(pagesOf(TARGET).filter((_, i) => i % 10 === 1), REFERENCE_BYTES)) ngrams.add(text); // biome-ignore format: one line
  const candidates = pool.map(({ text }) => {
    const { logProbability, words } = ngrams.score(text);
    return { perplexity: Math.exp(-logProbability / words), words, size: Buffer.byteLength(text) };
  });
  return selectByPerplexity(candidates, { budget: SUBSET_SHARE * bytesOf(pool) }).map((i) => pool[i]!);
}

/** The first pages, up to and with the one that reaches the budget. */
function upTo<P extends Page>(pages: readonly P[], bytes: number): P[] {
  let taken = 0;
  return pages.filter(({ text }) => {
    if (taken >= bytes) return false;
    taken += Buffer.byteLength(text);
    return true;
  });
}

const bytesOf = (pages: readonly Page[]) => pages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
