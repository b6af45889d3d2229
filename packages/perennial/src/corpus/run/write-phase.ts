/** The last phase over the documents: language, duplicates, filters, clean-up; what is kept by language, what is dropped with its reason. */
import { PerennialError } from "../../errors.ts";
import { anonymizer } from "../anonymize/index.ts";
import { type Decision, duplicateDecisions } from "../deduplicate/index.ts";
import { annotate, type Document, type Json, languageLabel } from "../document.ts";
import { writeJson } from "../durable.ts";
import { readDocuments } from "../formats/index.ts";
import { collapseSymbolLines } from "../repair/index.ts";
import { piiOffsets } from "../score/index.ts";
import { countDropped, countKept, type Funnel, textBytes } from "./counts.ts";
import { type DropReason, dropLine } from "./drops.ts";
import { FrameWriter } from "./frames.ts";
import { judgeOf } from "./judge.ts";
import { languageDrop, readLanguageChoice } from "./language-choice.ts";
import { type Measured, readMeasured } from "./measured.ts";
import { type CorpusPlan, type CorpusTask, places } from "./plan.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { readChosen } from "./thresholds-phase.ts";

export interface WriteMark {
  readonly funnel: Funnel;
  /** Kept documents and bytes of text by label. */
  readonly languages: Readonly<Record<string, { documents: number; bytes: number }>>;
  /** By label and cluster size: documents after deduplication, and those of them that filters removed. */
  readonly clusterSizes: ClusterSizes;
}

export type ClusterSizes = Readonly<Record<string, Readonly<Record<string, { documents: number; removed: number }>>>>;

interface WriteState {
  readonly funnel: Funnel;
  readonly languages: Record<string, { documents: number; bytes: number }>;
  readonly clusterSizes: Record<string, Record<string, { documents: number; removed: number }>>;
}

export async function writeShard(folder: string, { recipe }: CorpusPlan, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  const writer = await FrameWriter.open<WriteState>(places.journal(folder, task), { funnel: {}, languages: {}, clusterSizes: {} });
  const { funnel, languages, clusterSizes } = writer.state;
  const choice = readLanguageChoice(folder);
  const decide = recipe.deduplicate ? duplicateDecisions(places.duplicates(folder), task.index) : undefined;
  const filter = judgeOf(recipe, readChosen(folder));
  const clean = cleaner(recipe);
  const measurements = readMeasured(folder, task.index);
  const measuredOf = await inStep(measurements);

  let row = 0;
  try {
    if (!writer.finished) {
      for await (const document of readDocuments([places.read(folder, task.index)])) {
        const measured = await measuredOf(row);
        if (row++ < writer.items) continue;
        take(document, row - 1, measured);
        if (row % recipe.checkpointItems !== 0) continue;
        writer.checkpoint(row);
        onCheckpoint?.();
      }
    }
    writer.finish(row);
  } catch (error) {
    writer.close();
    throw error;
  } finally {
    await measurements.return(undefined);
  }
  writeJson(places.mark(folder, task), { funnel, languages, clusterSizes } satisfies WriteMark);
  writer.forget();

  function take(document: Document, at: number, measured: Measured | undefined): undefined {
    const bytes = textBytes(document.text);
    const duplicate = decide?.(at);
    const drop = (step: string, why: DropReason, from = document): undefined => {
      countDropped(funnel, step, why.reason, bytes);
      writer.write(places.dropped(folder, "write", task.index), dropLine(from, step, why));
    };
    const foreign = languageDrop(document, recipe, choice);
    if (foreign) return drop("language", foreign);
    countKept(funnel, "language", bytes);
    if (duplicate) {
      if (!duplicate.keep) return drop("deduplicate", copyOf(duplicate));
      countKept(funnel, "deduplicate", bytes);
    }
    const current = duplicate ? { ...document, clusterSize: duplicate.clusterSize } : document;
    let outcome: Outcome;
    try {
      const judged = filter(current, measured!);
      outcome = "dropped" in judged ? judged : { ...judged, cleaned: clean(judged.document) };
    } catch (error) {
      // A mistake in the recipe ends the run; a document that a step stumbles over costs itself only.
      if (error instanceof PerennialError) throw error;
      return drop("failed", { reason: "step-failed", detail: error instanceof Error ? error.message : String(error) }, current);
    }
    countCluster(current, "dropped" in outcome);
    if ("dropped" in outcome) return drop("filter", outcome.dropped, outcome.document);
    const { document: filtered, cleaned } = outcome;
    countKept(funnel, "filter", bytes, textBytes(filtered.text));
    countKept(funnel, "clean", textBytes(filtered.text), textBytes(cleaned.text));
    const label = languageLabel(cleaned);
    writer.write(places.documents(folder, label, task.index), cleaned);
    languages[label] ??= { documents: 0, bytes: 0 };
    languages[label].documents++;
    languages[label].bytes += textBytes(cleaned.text);
  }

  function countCluster(document: Document, removed: boolean): void {
    clusterSizes[languageLabel(document)] ??= {};
    const sizes = clusterSizes[languageLabel(document)]!;
    const size = String(document.clusterSize ?? 1);
    sizes[size] ??= { documents: 0, removed: 0 };
    sizes[size].documents++;
    if (removed) sizes[size].removed++;
  }
}

type Outcome = { readonly document: Document; readonly dropped: DropReason } | { readonly document: Document; readonly cleaned: Document };

const copyOf = ({ clusterSize, original }: Decision): DropReason => ({ reason: "duplicate", clusterSize, original });

/** The measurement of each row that has one, asked in ascending order. */
async function inStep(measurements: AsyncGenerator<Measured>): Promise<(row: number) => Promise<Measured | undefined>> {
  let next = await measurements.next();
  return async (row) => {
    while (!next.done && next.value.row < row) next = await measurements.next();
    return !next.done && next.value.row === row ? next.value : undefined;
  };
}

/** Lines of symbols, then personal data (FineWeb2 §7); offsets are those of the text as it is written. */
function cleaner({ anonymize, repair, personalDataOffsets }: CorpusRecipe): (document: Document) => Document {
  const replace = anonymize ? anonymizer(anonymize) : undefined;
  return (document) => {
    const replaced = replace ? replace(document.text).text : document.text;
    const text = repair.symbolLines ? collapseSymbolLines(replaced) : replaced;
    const cleaned = text === document.text ? document : { ...document, text };
    return personalDataOffsets ? annotate(cleaned, "personalData", piiOffsets(text) as unknown as Json) : cleaned;
  };
}
