/**
 * The numbers of every document that is neither foreign nor a copy (measured.ts): statistics under its language's stop words, Web Docs
 * Scores with a language label for each line. Nothing is dropped here; the samples are what thresholds are fitted from.
 */

import { duplicateDecisions } from "../deduplicate/index.ts";
import { type Document, languageLabel } from "../document.ts";
import { readJson, writeJson } from "../durable.ts";
import { statistics } from "../filter/index.ts";
import { readDocuments } from "../formats/index.ts";
import { precision } from "../precision/index.ts";
import { docScores, type Medians, openZstdSize, webDocsScorer } from "../score/index.ts";
import { textBytes } from "./counts.ts";
import { THRESHOLD_FILTERS } from "./filter-steps.ts";
import { FrameWriter } from "./frames.ts";
import { languageDrop, readLanguageChoice } from "./language-choice.ts";
import { expandLists } from "./lists.ts";
import { type Measured, packStatistics } from "./measured.ts";
import { type CorpusPlan, type CorpusTask, places } from "./plan.ts";
import { identifierFor } from "./read-phase.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { type Sample, Sampler } from "./sample.ts";
import { profilesOf } from "./thresholds-phase.ts";

export interface MeasureMark {
  /** Statistics by label. */
  readonly samples: Readonly<Record<string, Sample<readonly number[]>>>;
  /** By label: documents, and those that its precision filter would remove. */
  readonly precision: Readonly<Record<string, { documents: number; removed: number }>>;
}

interface MeasureState {
  samples: Record<string, Sample<readonly number[]>>;
  readonly precision: Record<string, { documents: number; removed: number }>;
}

/** Documents of a shard and language that are sampled. */
const SAMPLE_DOCUMENTS = 2000;

export async function measureShard(folder: string, plan: CorpusPlan, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  const { recipe } = plan;
  const writer = await FrameWriter.open<MeasureState>(places.journal(folder, task), { samples: {}, precision: {} });
  const { state } = writer;
  const output = places.measured(folder, task.index);
  const choice = readLanguageChoice(folder);
  const decide = recipe.deduplicate ? duplicateDecisions(places.duplicates(folder), task.index) : undefined;
  const needsStatistics = recipe.filters.some(({ filter }) => (THRESHOLD_FILTERS as readonly string[]).includes(filter));
  const profileFor = needsStatistics ? profilesOf(folder, plan) : () => undefined;
  const scoresOf = recipe.score ? await scorer(recipe) : undefined;
  const removes = precisionTests(recipe);
  const samplers = new Map(Object.entries(state.samples).map(([label, sample]) => [label, new Sampler(SAMPLE_DOCUMENTS, sample)]));
  const stored = () => Object.fromEntries([...samplers].map(([label, sampler]) => [label, sampler.toJSON()]));

  let row = 0;
  try {
    if (!writer.finished) {
      writer.touch(output);
      for await (const document of readDocuments([places.read(folder, task.index)])) {
        if (row++ < writer.items) continue;
        const measured = measure(document, row - 1);
        if (measured) writer.write(output, measured);
        if (row % recipe.checkpointItems !== 0) continue;
        state.samples = stored();
        writer.checkpoint(row);
        onCheckpoint?.();
      }
      state.samples = stored();
    }
    writer.finish(row);
  } catch (error) {
    writer.close();
    throw error;
  }
  writeJson(places.mark(folder, task), state satisfies MeasureMark);
  writer.forget();

  function measure(document: Document, at: number): Measured | undefined {
    if (languageDrop(document, recipe, choice)) return undefined;
    const { keep, clusterSize } = decide?.(at) ?? { keep: true, clusterSize: 1 };
    if (!keep) return undefined;
    const label = languageLabel(document);
    const profile = profileFor(label);
    const packed = profile && packStatistics(statistics(document, profile));
    if (packed) {
      if (!samplers.has(label)) samplers.set(label, new Sampler(SAMPLE_DOCUMENTS));
      samplers.get(label)!.add(document.id, () => packed);
    }
    const test = removes.get(label);
    if (test) {
      state.precision[label] ??= { documents: 0, removed: 0 };
      state.precision[label].documents++;
      if (test(document)) state.precision[label].removed++;
    }
    return {
      row: at,
      id: document.id,
      label,
      languageScore: document.languageScore ?? null,
      clusterSize,
      bytes: textBytes(document.text),
      ...(packed ? { statistics: packed } : {}),
      ...(scoresOf ? { scores: scoresOf(document, label) } : {}),
    };
  }
}

function precisionTests({ filters }: CorpusRecipe): Map<string, (document: Document) => boolean> {
  const lists = filters.flatMap((step) => (step.filter === "precision" ? expandLists(step.lists) : []));
  return new Map(
    lists.map((list) => {
      const { decide } = precision(list);
      return [list.language, (document) => !decide(document).kept];
    }),
  );
}

async function scorer({ score, identify }: CorpusRecipe): Promise<(document: Document, label: string) => number[]> {
  const medians = score?.medians === undefined ? undefined : readJson<Record<string, Medians>>(score.medians);
  const compressedBytes = await openZstdSize();
  const judge = webDocsScorer({ compressedBytes, ...(medians ? { medians: new Map(Object.entries(medians)) } : {}) });
  const lines = identifierFor(identify!);
  return ({ text }, label) => {
    const lineLabels = text.split("\n").map((line) => {
      const { language, script } = lines.identify(line);
      return `${language}_${script}`;
    });
    return docScores(judge({ text, label, lineLabels }));
  };
}
