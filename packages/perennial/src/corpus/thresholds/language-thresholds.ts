/**
 * All thresholds of one language as one JSON record, with the reason of each adapted value, and the filters that apply them.
 *   Gopher repetition  from English by meanStd on the crawl;  tests on paragraphs and on characters of lines off
 *   FineWeb quality    tenTail on the clean reference;        short-line test off, duplicate characters ≤ 0.1
 *   Gopher quality     quantile on the clean reference;       words 50 … 100,000, symbols, bullets, ellipses as in English, ≥ 2 stop words
 * Lengths are rounded outwards to integers (the published ones are integers, how they were rounded is not known), ratios to 3
 * decimals and clamped to [0, 1]; the least word length stays below the greatest. These were the best of 207 combinations in FineWeb2 (arXiv 2506.20920); other methods can be asked for.
 */
import { z } from "zod";
import type { BoundTable, StatisticsFilter, Thresholds } from "../filter/bounds.ts";
import { type DropRecord, dropRecord, type Filter } from "../filter/define.ts";
import { finewebQuality } from "../filter/fineweb-quality.ts";
import { gopherQuality } from "../filter/gopher-quality.ts";
import { gopherRepetition } from "../filter/gopher-repetition.ts";
import { englishProfile, type Statistics, type StatisticsProfile } from "../filter/statistics.ts";
import { ADAPTATION_METHODS, type AdaptationMethod, adapt } from "./adapt.ts";
import { decideLanguageScore, languageScore } from "./language-score.ts";
import type { Reference } from "./reference.ts";
import { stopWords } from "./stop-words.ts";

export const languageThresholdsSchema = z.strictObject({
  language: z.string().describe("label, e.g. kab_Latn"),
  languageScore: z.number().min(0).max(1).nullable().describe("least identification score; null: not tested"),
  stopWords: z.array(z.string()),
  gopherRepetition: gopherRepetition.schema,
  finewebQuality: finewebQuality.schema,
  gopherQuality: gopherQuality.schema,
  because: z
    .record(
      z.string(),
      z.strictObject({ method: z.enum(ADAPTATION_METHODS), reference: z.string(), english: z.number(), unrounded: z.number() }),
    )
    .describe("where each adapted value comes from, by filter.threshold"),
});
export type LanguageThresholds = z.output<typeof languageThresholdsSchema>;

/** What FineWeb2 sets for every language alike. */
export const FINEWEB2_REPETITION = {
  maxDuplicateParagraphs: null,
  maxDuplicateParagraphCharacters: null,
  maxDuplicateLineCharacters: null,
} as const;
export const FINEWEB2_QUALITY = { maxShortLines: null, maxDuplicateLineCharacters: 0.1 } as const;

const REPETITION_TUNED = [
  "maxDuplicateLines",
  "maxTop2Gram",
  "maxTop3Gram",
  "maxTop4Gram",
  "maxDuplicate5Grams",
  "maxDuplicate6Grams",
  "maxDuplicate7Grams",
  "maxDuplicate8Grams",
  "maxDuplicate9Grams",
  "maxDuplicate10Grams",
] as const;
const FINEWEB_TUNED = ["minTerminalLines", "maxNewlinesPerWord"] as const;
const GOPHER_TUNED = ["minMeanWordLength", "maxMeanWordLength", "minAlphabeticWords"] as const;

export interface References {
  readonly english: Reference;
  readonly language: Reference;
}

export interface FitInput {
  /** Label of the language, e.g. `kab_Latn`. */
  readonly language: string;
  /** Clean text: Wikipedia or the like. */
  readonly clean: References;
  /** The crawl after language identification. */
  readonly crawl: References;
  readonly languageScore?: number | null;
  readonly methods?: Partial<Record<FilterGroup, AdaptationMethod>>;
  /** Whose distribution counts; default: the crawl for repetition, else the clean reference. */
  readonly on?: Partial<Record<FilterGroup, "crawl" | "reference">>;
  /** Default: those of the clean reference. */
  readonly stopWords?: readonly string[];
}

export type FilterGroup = "gopherRepetition" | "finewebQuality" | "gopherQuality";

export function fitThresholds(input: FitInput): LanguageThresholds {
  const { language, clean, crawl, languageScore = null, methods = {}, on = {} } = input;
  const because: LanguageThresholds["because"] = {};
  const textOf = (group: FilterGroup, usual: "crawl" | "reference") => ((on[group] ?? usual) === "crawl" ? crawl : clean);

  const tuned = <Table extends BoundTable>(
    key: string,
    { bounds }: StatisticsFilter<Table>,
    names: readonly (keyof Table & string)[],
    method: AdaptationMethod,
    references: References,
  ): Partial<Thresholds<Table>> =>
    Object.fromEntries(
      names.map((name) => {
        const { statistic, side, default: english } = bounds[name]!;
        const unrounded = adapt(method, {
          side,
          threshold: english!,
          english: references.english.ascending(statistic),
          language: references.language.ascending(statistic),
        });
        because[`${key}.${name}`] = { method, reference: references.language.name, english: english!, unrounded };
        return [name, statistic === "meanWordLength" ? outwards(unrounded, side) : ratio(unrounded)];
      }),
    ) as Partial<Thresholds<Table>>;

  const repetition = tuned(
    "gopherRepetition",
    gopherRepetition,
    REPETITION_TUNED,
    methods.gopherRepetition ?? "meanStd",
    textOf("gopherRepetition", "crawl"),
  );
  const fineweb = tuned(
    "finewebQuality",
    finewebQuality,
    FINEWEB_TUNED,
    methods.finewebQuality ?? "tenTail",
    textOf("finewebQuality", "reference"),
  );
  const gopher = tuned(
    "gopherQuality",
    gopherQuality,
    GOPHER_TUNED,
    methods.gopherQuality ?? "quantile",
    textOf("gopherQuality", "reference"),
  );
  const maxMeanWordLength = Math.max(1, gopher.maxMeanWordLength!);
  const minMeanWordLength = Math.max(0, Math.min(gopher.minMeanWordLength!, maxMeanWordLength - 1));
  return {
    language,
    languageScore,
    stopWords: [...(input.stopWords ?? stopWords(clean.language.wordCounts()))],
    gopherRepetition: gopherRepetition.schema.parse({ ...FINEWEB2_REPETITION, ...repetition }),
    finewebQuality: finewebQuality.schema.parse({ ...FINEWEB2_QUALITY, ...fineweb }),
    gopherQuality: gopherQuality.schema.parse({ ...gopher, minMeanWordLength, maxMeanWordLength }),
    because,
  };
}

/** The published English values under FineWeb2's settings, for English or, without stop words, for a language that has no reference. */
export function englishThresholds(language = "eng_Latn"): LanguageThresholds {
  const isEnglish = language.startsWith("eng_");
  return {
    language,
    languageScore: null,
    stopWords: isEnglish ? [...englishProfile.stopWords] : [],
    gopherRepetition: gopherRepetition.schema.parse(FINEWEB2_REPETITION),
    finewebQuality: finewebQuality.schema.parse(FINEWEB2_QUALITY),
    gopherQuality: gopherQuality.schema.parse(isEnglish ? {} : { minStopWords: null }),
    because: {},
  };
}

const outwards = (value: number, side: "min" | "max"): number => (side === "min" ? Math.floor(value) : Math.ceil(value));
const ratio = (value: number): number => Math.round(Math.max(0, Math.min(1, value)) * 1000) / 1000;

/** The profile under which a language's statistics are computed: its stop words. */
export const profileOf = (thresholds: Pick<LanguageThresholds, "stopWords">): StatisticsProfile => ({
  ...englishProfile,
  stopWords: thresholds.stopWords,
});

/** Language score, Gopher repetition, FineWeb quality, Gopher quality: in this order, on statistics that are computed once. */
export function languageFilters(thresholds: LanguageThresholds): Filter[] {
  const profile = profileOf(thresholds);
  return [
    ...(thresholds.languageScore === null ? [] : [languageScore({ minScore: thresholds.languageScore })]),
    gopherRepetition.filter(thresholds.gopherRepetition, profile),
    finewebQuality.filter(thresholds.finewebQuality, profile),
    gopherQuality.filter(thresholds.gopherQuality, profile),
  ];
}

/** What is kept of a document so that its decision can be made again: `annotations.statistics` and the language score. */
export interface StoredMeasures {
  readonly statistics: Statistics;
  readonly languageScore?: number | undefined;
}

/**
 * The decision that `languageFilters` would take, from stored numbers alone. `statistics.stopWords` counts words of the list that was
 * in use then; with another list only the other bounds can be replayed.
 */
export function replay({ statistics, languageScore: score }: StoredMeasures, thresholds: LanguageThresholds): DropRecord | undefined {
  if (thresholds.languageScore !== null) {
    const decision = decideLanguageScore(score, thresholds.languageScore);
    if (!decision.kept) return dropRecord("language-score", decision);
  }
  const steps = [
    [gopherRepetition.name, gopherRepetition.decide(statistics, thresholds.gopherRepetition)],
    [finewebQuality.name, finewebQuality.decide(statistics, thresholds.finewebQuality)],
    [gopherQuality.name, gopherQuality.decide(statistics, thresholds.gopherQuality)],
  ] as const;
  for (const [name, decision] of steps) if (!decision.kept) return dropRecord(name, decision);
  return undefined;
}
