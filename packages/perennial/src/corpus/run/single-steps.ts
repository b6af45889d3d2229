/** One step by itself over any inputs, streamed, without a folder: what `perennial corpus extract`, `identify` and `filter` do. */
import type { Document } from "../document.ts";
import { languageLabel } from "../document.ts";
import { englishProfile, statistics } from "../filter/index.ts";
import { englishThresholds, profileOf } from "../thresholds/index.ts";
import type { Funnel } from "./counts.ts";
import { textBytes } from "./counts.ts";
import { type DropLine, dropLine } from "./drops.ts";
import { givenThresholds } from "./given-thresholds.ts";
import { type Judgement, judgeOf } from "./judge.ts";
import { packStatistics } from "./measured.ts";
import { planCorpus } from "./plan.ts";
import { itemsOf } from "./read-items.ts";
import { identifierFor } from "./read-phase.ts";
import { openReadSteps } from "./read-steps.ts";
import type { CorpusRecipeInput } from "./recipe.ts";
import { thresholdsFor } from "./thresholds-phase.ts";

export interface StepListener {
  readonly onDrop?: (line: DropLine) => void;
  /** A record that could not be read. */
  readonly onRejection?: (rejection: { readonly reason: string }) => void;
}

/** The documents of a recipe's inputs as its first phase gives them: extracted, repaired and, where a model is named, identified. */
export async function* readSteps(given: CorpusRecipeInput, { onDrop, onRejection }: StepListener = {}): AsyncGenerator<Document> {
  const plan = await planCorpus(given);
  const { identify } = plan.recipe;
  const funnel: Funnel = {};
  for (const shard of plan.shards) {
    const steps = await openReadSteps(plan, shard, funnel);
    for await (const item of itemsOf(shard, plan, 0)) {
      if ("rejection" in item) {
        onRejection?.(item.rejection);
        continue;
      }
      const result = steps(item);
      if ("document" in result && !("dropped" in result))
        yield identify ? identifierFor(identify).annotate(result.document) : result.document;
      else if ("failed" in result) onRejection?.({ reason: "step-failed" });
      else if (result.document) onDrop?.(dropLine(result.document, result.step, result.dropped));
    }
  }
}

/** The recipe's filters over documents, under given or English thresholds. */
export async function filterSteps(given: CorpusRecipeInput): Promise<(document: Document) => Judgement> {
  const { recipe } = await planCorpus(given);
  const english = englishThresholds();
  const thresholds = Object.fromEntries([[english.language, english] as const, ...givenThresholds(recipe)]);
  const judge = judgeOf(recipe, { thresholds, precision: Object.fromEntries(precisionGates(recipe)) });
  const thresholdsOf = thresholdsFor(recipe, { thresholds });
  const profiles = new Map<string, typeof englishProfile>();
  const profileFor = (label: string) => {
    const own = thresholdsOf(label);
    if (own && !profiles.has(label)) profiles.set(label, label === english.language ? englishProfile : profileOf(own));
    return profiles.get(label);
  };
  return (document) => {
    const label = languageLabel(document);
    const profile = profileFor(label);
    return judge(document, {
      ...{ row: 0, id: document.id, label, languageScore: document.languageScore ?? null, clusterSize: 1, bytes: textBytes(document.text) },
      ...(profile ? { statistics: packStatistics(statistics(document, profile)) } : {}),
    });
  };
}

/** By themselves, precision filters have no crawl to measure: they are applied. */
const precisionGates = ({ filters }: Parameters<typeof givenThresholds>[0]) =>
  filters.flatMap((step) =>
    step.filter === "precision" ? step.lists.map(({ language }) => [language, { contamination: 1, applied: true }] as const) : [],
  );
