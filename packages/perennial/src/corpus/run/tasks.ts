/** What each task does. */

import { type Candidate, findClusters, mergeBucket, writeSignatures } from "../deduplicate/index.ts";
import { languageLabel } from "../document.ts";
import { readJson, writeJson } from "../durable.ts";
import { readDocuments } from "../formats/index.ts";
import { ScoreHistogram } from "../language/index.ts";
import { writeManifest } from "./manifest.ts";
import { type CorpusPlan, type CorpusTask, isDone, places, readPlan } from "./plan.ts";
import { type ReadMark, readShard } from "./read-phase.ts";
import { type LanguageChoice, languageDrop, writeShard } from "./write-phase.ts";

/** Runs one task unless it is done. Tasks of a phase are independent; the phases before must be complete. */
export async function runCorpusTask(folder: string, task: CorpusTask, onCheckpoint?: () => void): Promise<void> {
  if (isDone(folder, task)) return;
  const plan = readPlan(folder);
  switch (task.phase) {
    case "read":
      return readShard(folder, plan, task, onCheckpoint);
    case "thresholds":
      return chooseThresholds(folder, plan, task);
    case "signatures":
      await writeSignatures(places.duplicates(folder), task.index, candidates(folder, plan, task.index), plan.recipe.memoryBytes);
      return;
    case "buckets":
      mergeBucket(places.duplicates(folder), task.index, plan.recipe.memoryBytes);
      return;
    case "clusters":
      findClusters(places.duplicates(folder), plan.recipe.memoryBytes);
      return;
    case "write":
      return writeShard(folder, plan, task, onCheckpoint);
    case "manifest":
      return writeManifest(folder, plan, task);
  }
}

/** The least score of each language, from the scores of all shards. */
function chooseThresholds(folder: string, { recipe, shards }: CorpusPlan, task: CorpusTask): void {
  const scores = new Map<string, ScoreHistogram>();
  for (let index = 0; index < shards.length; index++) {
    const mark = readJson<ReadMark>(places.mark(folder, { phase: "read", index }))!;
    for (const [label, counts] of Object.entries(mark.scores)) {
      if (!scores.has(label)) scores.set(label, new ScoreHistogram());
      scores.get(label)!.merge(counts);
    }
  }
  const { minScore } = recipe.languages;
  const chosen = [...scores]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, histogram]) => [label, minScore === "fitted" ? histogram.threshold() : minScore] as const);
  writeJson(places.mark(folder, task), { minScore: Object.fromEntries(chosen) } satisfies LanguageChoice);
}

/** The documents that take part in deduplication; languages are apart. */
async function* candidates(folder: string, { recipe }: CorpusPlan, shard: number): AsyncGenerator<Candidate | undefined> {
  const choice = readJson<LanguageChoice>(places.mark(folder, { phase: "thresholds", index: 0 }))!;
  for await (const document of readDocuments([places.read(folder, shard)]))
    yield languageDrop(document, recipe, choice)
      ? undefined
      : { text: document.text, nameSpace: languageLabel(document), ...(document.script === undefined ? {} : { script: document.script }) };
}
