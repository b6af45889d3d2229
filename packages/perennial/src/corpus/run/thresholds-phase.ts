/**
 * The thresholds of every language, once its documents are measured: given, English, or carried over from English by the distributions of
 * the crawl and of clean references. And which languages the precision filter is worth while for.
 */
import { writeJson } from "../durable.ts";
import { englishProfile, type StatisticsProfile } from "../filter/index.ts";
import { englishThresholds, fitThresholds, type LanguageThresholds, profileOf, Reference, type References } from "../thresholds/index.ts";
import { givenThresholds } from "./given-thresholds.ts";
import type { MeasureMark } from "./measure-phase.ts";
import { unpackStatistics } from "./measured.ts";
import { type CorpusPlan, type CorpusTask, markOf, places } from "./plan.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { referenceLabels, storedReference } from "./references-phase.ts";
import { type Sample, Sampler } from "./sample.ts";

const ENGLISH = "eng_Latn";
/** Documents of a crawl that its statistics are taken from, per language. */
const SAMPLE_DOCUMENTS = 20_000;
/** A crawl with fewer documents of a language says nothing about it; the clean reference stands in. */
const LEAST_DOCUMENTS = 100;

export interface ChosenThresholds {
  /** By label. */
  readonly thresholds: Readonly<Record<string, LanguageThresholds>>;
  /** Share of a language's documents that its precision filter would remove, and whether it does. */
  readonly precision: Readonly<Record<string, { readonly contamination: number; readonly applied: boolean }>>;
}

/** How a language's statistics are computed: with its stop words. Undefined: it has no thresholds, and is not measured. */
export function profilesOf(folder: string, { recipe }: CorpusPlan): (label: string) => StatisticsProfile | undefined {
  const profiles = new Map<string, StatisticsProfile>();
  for (const [index, label] of referenceLabels(recipe).entries())
    profiles.set(label, { ...englishProfile, stopWords: storedReference(folder, index).stopWords });
  profiles.set(ENGLISH, englishProfile);
  for (const [label, given] of givenThresholds(recipe)) profiles.set(label, profileOf(given));
  return (label) => profiles.get(label) ?? (recipe.thresholds.missing === "english" ? englishProfile : undefined);
}

export function chooseThresholds(folder: string, plan: CorpusPlan, task: CorpusTask): void {
  const { recipe, shards } = plan;
  const samples = new Map<string, Sampler<readonly number[]>>();
  const precision = new Map<string, { documents: number; removed: number }>();
  for (let index = 0; index < shards.length; index++) {
    const mark = markOf<MeasureMark>(folder, { phase: "measure", index });
    for (const [label, sample] of Object.entries(mark.samples)) {
      if (!samples.has(label)) samples.set(label, new Sampler(SAMPLE_DOCUMENTS));
      samples.get(label)!.merge(sample);
    }
    for (const [label, { documents, removed }] of Object.entries(mark.precision)) {
      const sum = precision.get(label) ?? { documents: 0, removed: 0 };
      precision.set(label, { documents: sum.documents + documents, removed: sum.removed + removed });
    }
  }
  const thresholds = new Map([[ENGLISH, englishThresholds()], ...fitted(folder, plan, samples), ...givenThresholds(recipe)]);
  const gate = recipe.filters.find((step) => step.filter === "precision")?.minContamination ?? 0;
  const chosen: ChosenThresholds = {
    thresholds: Object.fromEntries([...thresholds].sort(([a], [b]) => (a < b ? -1 : 1))),
    precision: Object.fromEntries(
      [...precision].map(([label, { documents, removed }]) => {
        const contamination = documents === 0 ? 0 : removed / documents;
        return [label, { contamination, applied: contamination > gate }];
      }),
    ),
  };
  writeJson(places.mark(folder, task), chosen);
}

export const readChosen = (folder: string): ChosenThresholds => markOf<ChosenThresholds>(folder, { phase: "thresholds", index: 0 });

/** The thresholds of a label under the recipe's rule for languages without any. */
export function thresholdsFor(recipe: CorpusRecipe, { thresholds }: Pick<ChosenThresholds, "thresholds">) {
  const english = new Map<string, LanguageThresholds>();
  return (label: string): LanguageThresholds | undefined => {
    if (thresholds[label] !== undefined || recipe.thresholds.missing === "keep") return thresholds[label];
    if (!english.has(label)) english.set(label, englishThresholds(label));
    return english.get(label);
  };
}

function fitted(
  folder: string,
  { recipe }: CorpusPlan,
  samples: ReadonlyMap<string, Sampler<readonly number[]>>,
): [string, LanguageThresholds][] {
  const { fit } = recipe.thresholds;
  if (!fit) return [];
  const stored = referenceLabels(recipe).map((label, index) => [label, storedReference(folder, index)] as const);
  const english = Reference.from(stored[0]![1]);
  const englishCrawl = crawlOf(ENGLISH, samples.get(ENGLISH)?.toJSON());
  return stored.slice(1).map(([label, reference]) => {
    const clean: References = { english, language: Reference.from(reference) };
    const languageCrawl = crawlOf(label, samples.get(label)?.toJSON());
    // One side alone would compare a crawl with an encyclopedia.
    const crawl: References = languageCrawl && englishCrawl ? { english: englishCrawl, language: languageCrawl } : clean;
    const groups = ["gopherRepetition", "finewebQuality", "gopherQuality"] as const;
    const methods = Object.fromEntries(groups.map((group) => [group, fit[group].method]));
    const on = Object.fromEntries(groups.map((group) => [group, fit[group].on]));
    return [label, fitThresholds({ language: label, clean, crawl, methods, on, stopWords: reference.stopWords })];
  });
}

function crawlOf(label: string, sample: Sample<readonly number[]> | undefined): Reference | undefined {
  if (!sample || sample.entries.length < LEAST_DOCUMENTS) return undefined;
  const reference = new Reference(`the crawl, ${sample.entries.length} documents of ${label}`);
  for (const [, values] of sample.entries) reference.addStatistics(unpackStatistics(values));
  return reference;
}
