/** What each task does. */
import { type Candidate, findClusters, mergeBucket, writeSignatures } from "../deduplicate/index.ts";
import { languageLabel } from "../document.ts";
import { readDocuments } from "../formats/index.ts";
import { explained } from "./disk.ts";
import { chooseLanguages, languageDrop, readLanguageChoice } from "./language-choice.ts";
import { writeManifest } from "./manifest.ts";
import { measureShard } from "./measure-phase.ts";
import { type CorpusPlan, type CorpusTask, isDone, places, readPlan } from "./plan.ts";
import { chooseRepetitions, publishShard } from "./publish-phase.ts";
import { readShard } from "./read-phase.ts";
import { measureReference } from "./references-phase.ts";
import { chooseThresholds } from "./thresholds-phase.ts";
import { writeShard } from "./write-phase.ts";

/** Runs one task unless it is done. Tasks of a phase are independent; the phases before must be complete. */
export async function runCorpusTask(folder: string, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  if (isDone(folder, task)) return;
  try {
    await work(folder, readPlan(folder), task, onCheckpoint);
  } catch (error) {
    throw explained(error, folder);
  }
}

async function work(folder: string, plan: CorpusPlan, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  const { memoryBytes } = plan.recipe;
  switch (task.phase) {
    case "read":
      return readShard(folder, plan, task, onCheckpoint);
    case "languages":
      return chooseLanguages(folder, plan, task);
    case "signatures":
      await writeSignatures(places.duplicates(folder), task.index, candidates(folder, plan, task.index), memoryBytes);
      return;
    case "buckets":
      mergeBucket(places.duplicates(folder), task.index, memoryBytes);
      return;
    case "clusters":
      findClusters(places.duplicates(folder), memoryBytes);
      return;
    case "references":
      return measureReference(folder, plan, task);
    case "measure":
      return measureShard(folder, plan, task, onCheckpoint);
    case "thresholds":
      return chooseThresholds(folder, plan, task);
    case "write":
      return writeShard(folder, plan, task, onCheckpoint);
    case "rehydrate":
      return chooseRepetitions(folder, plan, task);
    case "publish":
      return publishShard(folder, plan, task);
    case "manifest":
      return writeManifest(folder, plan, task);
  }
}

/** The documents that take part in deduplication; languages are apart. */
async function* candidates(folder: string, { recipe }: CorpusPlan, shard: number): AsyncGenerator<Candidate | undefined> {
  const choice = readLanguageChoice(folder);
  for await (const document of readDocuments([places.read(folder, shard)]))
    yield languageDrop(document, recipe, choice)
      ? undefined
      : { text: document.text, nameSpace: languageLabel(document), ...(document.script === undefined ? {} : { script: document.script }) };
}
