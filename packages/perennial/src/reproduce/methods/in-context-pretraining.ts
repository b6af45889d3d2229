/** Related documents in one window. Source: arXiv 2310.10638, specification `in-context-pretraining`. */
import { relatedOrder, tfidfVectors } from "../../mixture/index.ts";
import type { Decoder } from "../../model/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { openModel } from "../../run/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { runRecipeCell } from "../recipe-cell.ts";
import { defineReproduction, type Settings } from "../reproduction.ts";
import { barelyMeasured, derivedText, pagesOf, piecesOf } from "./derived-texts.ts";
import { cosine, scaled } from "./small.ts";

const STEPS = 600;
const WINDOW = 512;
/** 1,024 tokens in a step. */
const TRAIN = { sequenceLength: WINDOW, microBatchSize: 2 } as const;
const TEXTS = ["english", "python-manual", "postgresql", "desktop"] as const;
/** Characters of a document: several fit a window. */
const DOCUMENT = 500;
/** Tokens before and of a held-out document whose loss is compared. */
const CONTEXT_TOKENS = 300;
const TARGET_TOKENS = 120;
const TESTED = 40;

type Mixture = RecipeSpec["stages"][number]["mixture"];
const ARMS: Readonly<Record<string, { corpus: string; order: Mixture["sources"][number]["order"] }>> = {
  random: { corpus: "pages", order: "shuffled" },
  related: { corpus: "pages", order: { order: "related" } },
  "copies-kept": { corpus: "copies", order: { order: "related", nearCopyCosine: "keep" } },
  "copies-removed": { corpus: "copies", order: { order: "related" } },
};

export const inContextPretraining = defineReproduction({
  name: "in-context-pretraining",
  title: "Related documents in one window",
  source: "Shi et al., [In-Context Pretraining: Language Modeling Beyond Document Boundaries](https://arxiv.org/abs/2310.10638), ICLR 2024",
  setup:
    "A model from scratch on pages of four English manuals, cut into documents of about 500 characters, in windows of 512 tokens without a document mask. The documents come in random order, or " +
    "related ones next to each other; two more arms add near copies of a tenth of the documents, and leave them out again or not. Context gain: loss of the first 120 tokens of a held-out document alone, less that " +
    "after its nearest training documents (300 tokens).",
  texts: [...TEXTS],
  arms: [
    { name: "random", label: "random order" },
    { name: "related", label: "related order" },
    { name: "copies-kept", label: "related, near copies kept" },
    { name: "copies-removed", label: "related, near copies left out" },
  ],
  measurements: [
    { key: "held-out", label: "held-out documents", unit: "bits per byte" },
    { key: "alone", label: "held-out beginnings, alone", unit: "nats per token" },
    { key: "gain", label: "context gain", unit: "nats per token" },
    { key: "adjacent", label: "similarity of adjacent documents", unit: "cosine" },
  ],
  claims: [
    {
      id: "context-gain",
      statement: "A model trained on related documents makes more of related ones before it",
      quantity: "context gain: related − random",
      unit: "nats per token",
      expect: { above: 0 },
      value: (of) => of("related", "gain") - of("random", "gain"),
    },
    {
      id: "no-cost",
      statement: "Without context it is no worse than 1 %",
      quantity: "held-out: 1 − 100 · (related / random − 1)",
      unit: "percent",
      expect: { above: 0 },
      value: (of) => 1 - 100 * (of("related", "held-out") / of("random", "held-out") - 1),
    },
    {
      id: "adjacent",
      statement: "Adjacent documents are at least three times as similar as in random order",
      quantity: "similarity of adjacent documents: related / random",
      unit: "",
      expect: { above: 3 },
      value: (of) => of("related", "adjacent") / of("random", "adjacent"),
    },
    {
      id: "copies",
      statement: "Near copies in a window harm: leaving them out is better on held-out documents",
      quantity: "held-out: copies kept − left out",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("copies-kept", "held-out") - of("copies-removed", "held-out"),
    },
  ],
  charts: [],
  minutes: 8,
  inputs: (arm: string, seed: number, settings: Settings) => ({
    cut: [DOCUMENT, CONTEXT_TOKENS, TARGET_TOKENS, TESTED],
    recipe: recipeOf(arm, seed, settings),
  }),
  async run({ recipe }, context) {
    const { training, heldOut, copies } = documentsOf();
    const path = derivedText(context, "manual-documents", () => training);
    const held = { path: derivedText(context, "manual-documents-held-out", () => heldOut) };
    const withCopies = derivedText(context, "manual-documents-copies", () => [...training, ...copies]);
    const corpora: RecipeSpec["corpora"] = {
      pages: { path, heldOut: held },
      ...(recipe.stages[0]!.mixture.sources[0]!.corpus === "copies" ? { copies: { path: withCopies, heldOut: "none" } } : {}),
    };
    const { final, modelFolder } = await runRecipeCell({ ...recipe, corpora }, context);
    const { model, tokenizer } = await openModel(modelFolder);
    try {
      return {
        measurements: {
          "held-out": final.pages!,
          ...(await contextGain(model, tokenizer, training, heldOut)),
          adjacent: adjacentOf(recipe, training),
        },
      };
    } finally {
      model.dispose();
    }
  },
});

function recipeOf(arm: string, seed: number, settings: Settings): RecipeSpec {
  return {
    name: arm,
    seed,
    model: { hiddenSize: settings.width, numHiddenLayers: 3, numAttentionHeads: 4, maxPositionEmbeddings: WINDOW },
    tokenizer: { train: { vocabSize: 2048, corpora: ["pages"] } },
    corpora: {},
    ...barelyMeasured,
    train: { ...TRAIN, steps: scaled(STEPS, settings), schedule: cosine },
    stages: [{ name: "pages", mixture: { sources: [ARMS[arm]!], attention: "across-documents" } }],
  };
}

interface Piece {
  readonly text: string;
}

/** Every fortieth page is held out whole. Copies: every tenth document with a word more. */
function documentsOf(): { training: Piece[]; heldOut: Piece[]; copies: Piece[] } {
  const pagesWhere = (isWanted: (i: number) => boolean) => TEXTS.flatMap((name) => pagesOf(name).filter((_, i) => isWanted(i)));
  const training = piecesOf(pagesWhere((i) => i % 40 !== 39), DOCUMENT); // biome-ignore format: one line
  const heldOut = piecesOf(pagesWhere((i) => i % 40 === 39), DOCUMENT); // biome-ignore format: one line
  const copies = training.filter((_, i) => i % 10 === 0).map(({ text }) => ({ text: `${text} again` }));
  return { training, heldOut, copies };
}

/** Mean cosine of adjacent documents in the order that the arm reads. */
function adjacentOf(recipe: RecipeSpec, training: readonly Piece[]): number {
  const vectors = tfidfVectors(training.map(({ text }) => text));
  const { order } = recipe.stages[0]!.mixture.sources[0]!;
  if (typeof order === "object") return relatedOrder(vectors, { seed: recipe.seed ?? 0 }).adjacentSimilarity;
  // Random: documents far apart in the text, which is what a shuffle puts side by side.
  const step = Math.floor(training.length / 3) + 1;
  let sum = 0;
  for (let i = 0; i < 1000; i++)
    sum += cosine256(vectors, (i * 7919) % training.length, (((i * 7919) % training.length) + step + i) % training.length);
  return sum / 1000;
}

function cosine256({ data, dimensions }: ReturnType<typeof tfidfVectors>, a: number, b: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < dimensions; i++) {
    const [x, y] = [data[a * dimensions + i]!, data[b * dimensions + i]!];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** Of held-out documents, after the training documents nearest to them. */
async function contextGain(
  model: Decoder,
  tokenizer: Tokenizer,
  training: readonly Piece[],
  heldOut: readonly Piece[],
): Promise<{ alone: number; gain: number }> {
  const { conditionalLoss } = await import("./conditional-loss.ts");
  const { data, dimensions } = tfidfVectors([...training, ...heldOut].map(({ text }) => text));
  const vectors = { data, dimensions };
  const start = tokenizer.specialTokens.eos ?? 0;
  let [alone, after, tokens] = [0, 0, 0];
  const step = Math.max(1, Math.floor(heldOut.length / TESTED));
  for (let i = 0; i < heldOut.length; i += step) {
    const target = [...tokenizer.encode(heldOut[i]!.text)].slice(0, TARGET_TOKENS);
    if (target.length < TARGET_TOKENS / 2) continue;
    const nearest = training
      .map((_, document) => ({ document, similarity: cosine256(vectors, training.length + i, document) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 4);
    const context = nearest.reverse().flatMap(({ document }) => [...tokenizer.encode(training[document]!.text), start]).slice(-CONTEXT_TOKENS); // biome-ignore format: one line
    alone += conditionalLoss(model, [start], target).lossSum;
    after += conditionalLoss(model, context, target).lossSum;
    tokens += target.length;
  }
  return { alone: alone / tokens, gain: (alone - after) / tokens };
}
