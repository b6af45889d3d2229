/** The last phase over the documents: language, duplicates, filters, clean-up; what is kept by language, what is dropped with its reason. */
import { anonymizer } from "../anonymize/index.ts";
import { duplicateDecisions } from "../deduplicate/index.ts";
import { type Document, type Json, languageLabel } from "../document.ts";
import { readJson, writeJson } from "../durable.ts";
import { applyFilters, type Filter, statistics } from "../filter/index.ts";
import { readDocuments } from "../formats/index.ts";
import { collapseSymbolLines, repairMojibake } from "../repair/index.ts";
import { languageFilters, profileOf } from "../thresholds/index.ts";
import { countDropped, countKept, type Funnel, textBytes } from "./counts.ts";
import { FrameWriter } from "./frames.ts";
import { type CorpusPlan, type CorpusTask, places } from "./plan.ts";
import type { CorpusRecipe } from "./recipe.ts";

export interface WriteMark {
  readonly funnel: Funnel;
  /** Kept documents and bytes of text by label. */
  readonly languages: Readonly<Record<string, { documents: number; bytes: number }>>;
  /** Files that were written, with their documents. */
  readonly files: Readonly<Record<string, number>>;
}

interface WriteState {
  readonly funnel: Funnel;
  readonly languages: Record<string, { documents: number; bytes: number }>;
}

export interface LanguageChoice {
  /** Least score by label. */
  readonly minScore: Readonly<Record<string, number>>;
}

const EXCERPT_CHARACTERS = 300;

/** Why the language of a document keeps it out, if it does. */
export function languageDrop(
  document: Document,
  recipe: CorpusRecipe,
  { minScore }: LanguageChoice,
): { reason: string; value?: number; threshold?: number } | undefined {
  const label = languageLabel(document);
  if (recipe.languages.keep && !recipe.languages.keep.includes(label)) return { reason: "language-not-wanted" };
  const value = document.languageScore ?? 1;
  const threshold = minScore[label] ?? 0;
  return value < threshold ? { reason: "language-score-below-min", value, threshold } : undefined;
}

export async function writeShard(folder: string, { recipe }: CorpusPlan, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  const writer = await FrameWriter.open<WriteState>(places.journal(folder, task), { funnel: {}, languages: {} });
  const { funnel, languages } = writer.state;
  const choice = readJson<LanguageChoice>(places.mark(folder, { phase: "thresholds", index: 0 }))!;
  const decide = recipe.deduplicate ? duplicateDecisions(places.duplicates(folder), task.index) : undefined;
  const filters = filtersOf(recipe);
  const clean = cleaner(recipe);
  const dropped = places.dropped(folder, task.index);

  let row = 0;
  try {
    if (!writer.finished) {
      for await (const document of readDocuments([places.read(folder, task.index)])) {
        if (row++ < writer.items) continue;
        const kept = judge(document, row - 1);
        if (kept) {
          const label = languageLabel(kept);
          writer.write(places.documents(folder, label, task.index), kept);
          const counts = languages[label] ?? { documents: 0, bytes: 0 };
          languages[label] = { documents: counts.documents + 1, bytes: counts.bytes + textBytes(kept.text) };
        }
        if (row % recipe.checkpointItems === 0) {
          writer.checkpoint(row);
          onCheckpoint?.();
        }
      }
    }
  } catch (error) {
    writer.close();
    throw error;
  }
  writer.finish(row);
  const files = Object.fromEntries(
    Object.entries(languages).map(([label, { documents }]) => [places.documents("", label, task.index), documents]),
  );
  writeJson(places.mark(folder, task), { funnel, languages, files } satisfies WriteMark);
  writer.forget();

  function judge(document: Document, row: number): Document | undefined {
    const bytes = textBytes(document.text);
    const drop = (step: string, why: { readonly [key: string]: Json }, from = document): undefined => {
      countDropped(funnel, step, String(why.reason), bytes);
      const { text, ...rest } = from;
      writer.write(dropped, { ...rest, excerpt: text.slice(0, EXCERPT_CHARACTERS), dropped: { step, ...why } });
      return undefined;
    };
    const foreign = languageDrop(document, recipe, choice);
    if (foreign) return drop("language", foreign);
    countKept(funnel, "language", bytes);
    let current = document;
    if (decide) {
      const { keep, clusterSize, original } = decide(row);
      if (!keep) return drop("deduplicate", { reason: "duplicate", clusterSize, original });
      countKept(funnel, "deduplicate", bytes);
      current = { ...current, clusterSize };
    }
    const forLanguage = filters.get(languageLabel(document));
    if (forLanguage) {
      const measured = forLanguage.measure(current);
      const outcome = applyFilters(forLanguage.filters, measured);
      if (outcome.dropped) return drop("filter", outcome.dropped, outcome.document);
      countKept(funnel, "filter", bytes, textBytes(outcome.document.text));
      current = outcome.document;
    }
    const cleaned = clean(current);
    countKept(funnel, "clean", textBytes(current.text), textBytes(cleaned.text));
    return cleaned;
  }
}

/** Filters by label, and the statistics they decide by, kept with the document so that decisions can be made again. */
function filtersOf(recipe: CorpusRecipe): Map<string, { filters: readonly Filter[]; measure(document: Document): Document }> {
  return new Map(
    recipe.thresholds.map((thresholds) => {
      const profile = profileOf(thresholds);
      const measure = (document: Document): Document => ({
        ...document,
        annotations: { ...document.annotations, statistics: { ...statistics(document, profile) } },
      });
      return [thresholds.language, { filters: languageFilters({ ...thresholds, languageScore: null }), measure }];
    }),
  );
}

/** Encoding repair, then personal data, then lines of symbols (FineWeb2 §7). */
function cleaner(recipe: CorpusRecipe): (document: Document) => Document {
  const anonymize = recipe.anonymize ? anonymizer(recipe.anonymize) : undefined;
  return (document) => {
    const repaired = recipe.repairMojibake ? repairMojibake(document.text) : document.text;
    const text = collapseSymbolLines(anonymize ? anonymize(repaired).text : repaired);
    return text === document.text ? document : { ...document, text };
  };
}
