/**
 * Eight domains one after the other, in similar and in random order, against training on each alone.
 * Source: arXiv 2402.17400, specification `domain-sequence-cpt`.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { domainSequence } from "../../evaluate/continual/index.ts";
import { randomOrder, similarOrder, tfidfVectors } from "../../mixture/index.ts";
import type { RecipeSpec } from "../../recipe/index.ts";
import { openModel } from "../../run/index.ts";
import { runRecipeCell, sharedModel } from "../recipe-cell.ts";
import { type CellContext, defineReproduction, type Settings } from "../reproduction.ts";
import { realText } from "../text.ts";
import { heldOutPages } from "./derived-texts.ts";
import { predictionRanks, typicalNgrams } from "./prediction-ranks.ts";
import { cosine, englishBase, helpText, mean, scaled, smallRun, smallTrain } from "./small.ts";

const LANGUAGES = ["spanish", "french", "german", "italian"] as const;
const TECHNICAL = ["desktop", "postgresql", "python-manual", "python-code"] as const;
const DOMAINS: readonly string[] = [...LANGUAGES, ...TECHNICAL];
const STAGE_STEPS = 60;

export const domainSequenceCpt = defineReproduction({
  name: "domain-sequence-cpt",
  title: "A sequence of domains",
  source:
    "Yıldız et al., [Investigating Continual Pretraining in Large Language Models: Insights and Implications](https://arxiv.org/abs/2402.17400), 2025",
  setup:
    "A model that has read English help pages reads help in four other languages and four kinds of technical English, one domain after the other, " +
    "without replay; learning rate and optimizer start anew with each. Similar order: languages first, each time the nearest domain left (TF-IDF of " +
    "character n-grams). Random order: another one for each seed. Alone: a separate model for each domain.",
  texts: ["english", ...DOMAINS],
  arms: [
    { name: "similar", label: "similar order" },
    { name: "random", label: "random order" },
    { name: "alone", label: "each alone (DAPT)" },
  ],
  measurements: [
    { key: "zeroShot", label: "before (ZS)", unit: "bits per byte" },
    { key: "continual", label: "just read (CPT)", unit: "bits per byte" },
    { key: "last", label: "at the end (LC)", unit: "bits per byte" },
    { key: "backward", label: "backward transfer", unit: "bits per byte" },
    { key: "forward", label: "forward transfer", unit: "bits per byte" },
    { key: "phrasesBefore", label: "set phrases before", unit: "percent at rank 1", digits: 1 },
    { key: "phrasesRead", label: "set phrases, just read", unit: "percent at rank 1", digits: 1 },
    { key: "phrasesLast", label: "set phrases at the end", unit: "percent at rank 1", digits: 1 },
    { key: "rankBefore", label: "median rank before", unit: "", digits: 0 },
    { key: "rankRead", label: "median rank, just read", unit: "", digits: 0 },
    { key: "rankLast", label: "median rank at the end", unit: "", digits: 0 },
  ],
  claims: [
    {
      id: "better-than-before",
      statement: "Each domain just read is better than before the training",
      quantity: "before − just read, similar order",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("similar", "zeroShot") - of("similar", "continual"),
    },
    {
      id: "better-than-alone",
      statement: "In similar order a domain is learned better than from the start alone",
      quantity: "alone − just read",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("alone", "continual") - of("similar", "continual"),
    },
    {
      id: "similar-specializes",
      statement: "Similar order is better on the domain just read",
      quantity: "just read: random − similar",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("random", "continual") - of("similar", "continual"),
    },
    {
      id: "random-retains",
      statement: "Random order leaves a better last checkpoint",
      quantity: "at the end: similar − random",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("similar", "last") - of("random", "last"),
    },
    {
      id: "first-part-forgotten",
      statement: "In similar order the first part is forgotten more than the second",
      quantity: "(end − just read) of languages − of technical English",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("similar", "forgottenLanguages") - of("similar", "forgottenTechnical"),
    },
    {
      id: "forward-transfer",
      statement: "In random order domains to come get better before they are read",
      quantity: "before − value at earlier stages, random order",
      unit: "bits per byte",
      expect: { above: 0 },
      value: (of) => of("random", "forward"),
    },
    {
      id: "phrases-learned",
      statement: "The set phrases of a domain are learned when it is read",
      quantity: "last words at rank 1: just read − before, similar order",
      unit: "points",
      expect: { above: 0 },
      value: (of) => of("similar", "phrasesRead") - of("similar", "phrasesBefore"),
    },
    {
      id: "phrases-retained",
      statement: "At the end more of them are left in random order than in similar order",
      quantity: "last words at rank 1 at the end: random − similar",
      unit: "points",
      expect: { above: 0 },
      value: (of) => of("random", "phrasesLast") - of("similar", "phrasesLast"),
    },
  ],
  charts: [
    { curve: "read", title: "Mean over the domains read so far", x: "domains read", y: "bits per byte", arms: ["similar", "random"] },
    { curve: "unread", title: "Mean over the domains to come", x: "domains read", y: "bits per byte", arms: ["similar", "random"] },
  ],
  minutes: 6,
  inputs: (arm: string, seed: number, settings: Settings) => {
    const order = arm === "random" ? randomOrder(DOMAINS, seed) : arm === "similar" ? similarDomains() : DOMAINS;
    const recipes = arm === "alone" ? order.map((domain) => recipeOf([domain], seed, settings)) : [recipeOf(order, seed, settings)];
    return { base: englishBase(settings), order, recipes, version: 2 };
  },
  async run({ base, order, recipes }, context) {
    const model = await sharedModel(base, context);
    if (recipes.length > 1) return alone(recipes, context, model);
    const { matrix, modelFolder } = await runRecipeCell(recipes[0]!, context, model);
    const columns = order.map((domain) => matrix.corpora.indexOf(domain));
    const bits = matrix.values.map((row) => columns.map((column) => row[column]!));
    const report = domainSequence(bits.map((row) => row.map((value) => 2 ** value)));
    const toBits = (nats: readonly (number | undefined)[]) =>
      mean(nats.flatMap((value) => (value === undefined ? [] : [value / Math.LN2])));
    const forgotten = order.map((_, j) => bits.at(-1)![j]! - bits[j + 1]![j]!);
    const ofPart = (part: readonly string[]) => mean(forgotten.filter((_, j) => part.includes(order[j]!)));
    const stages = order.map((_, i) => i + 1);
    return {
      measurements: {
        zeroShot: mean(bits[0]!),
        continual: mean(order.map((_, j) => bits[j + 1]![j]!)),
        last: mean(bits.at(-1)!),
        backward: toBits(report.backward.map((transfer) => transfer?.gainNats)),
        forward: toBits(report.forward.map((transfer) => transfer?.gainNats)),
        forgottenLanguages: ofPart(LANGUAGES),
        forgottenTechnical: ofPart(TECHNICAL),
        ...(await setPhrases(order, model, modelFolder)),
      },
      curves: {
        read: { x: stages, y: stages.map((i) => mean(bits[i]!.slice(0, i))) },
        unread: { x: stages.slice(0, -1), y: stages.slice(0, -1).map((i) => mean(bits[i]!.slice(i))) },
      },
    };
  },
});

/** Ranks of the last words of each domain's phrases: by the model before, after its own stage, and at the end; a median over all domains. */
async function setPhrases(order: readonly string[], base: string, end: string): Promise<Record<string, number>> {
  const ranks: Record<"Before" | "Read" | "Last", number[]> = { Before: [], Read: [], Last: [] };
  let phrases: Map<string, number[][]> | undefined;
  const folders = [base, ...order.slice(0, -1).map((domain) => join(dirname(end), "models", domain)), end];
  for (const [stage, folder] of folders.entries()) {
    const { model, tokenizer } = await openModel(folder);
    try {
      phrases ??= typicalNgrams(new Map(order.map((name) => [name, heldOutPages(name).map(({ text }) => [...tokenizer.encode(text)])])));
      const ranksOf = (name: string) => predictionRanks(model, phrases!.get(name)!, tokenizer.specialTokens.eos ?? 0);
      if (stage === 0) for (const name of order) ranks.Before.push(...ranksOf(name));
      else ranks.Read.push(...ranksOf(order[stage - 1]!));
      if (stage === order.length) for (const name of order) ranks.Last.push(...ranksOf(name));
    } finally {
      model.dispose();
    }
  }
  return Object.fromEntries(
    Object.entries(ranks).flatMap(([moment, of]) => [
      [`phrases${moment}`, (100 * of.filter((rank) => rank === 1).length) / of.length],
      [`rank${moment}`, of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]!],
    ]),
  );
}

/** One run for each domain, each in a folder of its own. */
async function alone(recipes: readonly RecipeSpec[], context: CellContext, model: string) {
  const [before, after]: [number[], number[]] = [[], []];
  for (const recipe of recipes) {
    const { matrix } = await runRecipeCell(recipe, { ...context, folder: join(context.folder, recipe.name) }, model);
    before.push(matrix.values[0]![0]!);
    after.push(matrix.values[1]![0]!);
  }
  return { measurements: { zeroShot: mean(before), continual: mean(after) } };
}

let similar: string[] | undefined;

/** The same in every seed. */
function similarDomains(): string[] {
  if (similar !== undefined) return similar;
  const names = ["english", ...DOMAINS];
  const { data, dimensions } = tfidfVectors(names.map(wholeText), { maxCharacters: 200_000 });
  const vectors = new Map(names.map((name, i) => [name, data.subarray(i * dimensions, (i + 1) * dimensions)]));
  const part = (domains: readonly string[]) => domains.map((name) => ({ name, vector: vectors.get(name)! }));
  similar = similarOrder(vectors.get("english")!, [part(LANGUAGES), part(TECHNICAL)]);
  return similar;
}

function wholeText(name: string): string {
  const lines = gunzipSync(readFileSync(realText(name).path))
    .toString()
    .trimEnd()
    .split("\n");
  return lines.map((line) => (JSON.parse(line) as { text: string }).text).join("\n");
}

function recipeOf(domains: readonly string[], seed: number, settings: Settings): RecipeSpec {
  return {
    name: domains.length === 1 ? domains[0]! : "sequence",
    seed,
    model: "base",
    corpora: Object.fromEntries(domains.map((name) => [name, helpText(name)])),
    train: { ...smallTrain, steps: scaled(STAGE_STEPS, settings), schedule: cosine },
    stages: domains.map((corpus) => ({ name: corpus, mixture: { sources: [{ corpus }] } })),
    ...smallRun,
    evaluate: { ...smallRun.evaluate, everySteps: "never" },
  };
}
