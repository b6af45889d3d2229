/** What a run has made: counts of every step, files with their hashes; `card.ts` tells it to people. */
import { join } from "node:path";
import { readJson, writeDurably, writeJson } from "../durable.ts";
import { hashFile } from "../formats/index.ts";
import { dataCard } from "./card.ts";
import { addFunnel, type Funnel } from "./counts.ts";
import { readLanguageChoice } from "./language-choice.ts";
import { type CorpusPlan, type CorpusTask, markOf, places, tasksOf } from "./plan.ts";
import type { PublishMark, RehydrateMark } from "./publish-phase.ts";
import type { ReadMark } from "./read-phase.ts";
import type { CorpusRecipe } from "./recipe.ts";
import { type ChosenThresholds, readChosen, thresholdsFor } from "./thresholds-phase.ts";
import type { WriteMark } from "./write-phase.ts";

export interface CorpusManifest {
  readonly name: string;
  readonly recipe: CorpusRecipe;
  readonly shards: number;
  readonly documents: number;
  readonly bytes: number;
  readonly languages: Readonly<Record<string, LanguageTotals>>;
  readonly funnel: Funnel;
  /** Broken records by reason. */
  readonly rejections: Readonly<Record<string, number>>;
  /** Shards that could not be read to their end. */
  readonly failures: readonly { readonly path: string; readonly reason: string }[];
  readonly clusters: unknown;
  readonly precision: ChosenThresholds["precision"];
  readonly rehydration: RehydrateMark["tables"] | null;
  readonly files: readonly { readonly path: string; readonly documents: number; readonly sha256: string }[];
}

export interface LanguageTotals {
  readonly documents: number;
  readonly bytes: number;
  readonly minScore: number;
  /** Filters on numbers had thresholds for it. */
  readonly filtered: boolean;
}

export async function writeManifest(folder: string, plan: CorpusPlan, task: CorpusTask): Promise<void> {
  const { recipe, shards } = plan;
  const funnel: Funnel = {};
  const rejections: Record<string, number> = {};
  const failures: { path: string; reason: string }[] = [];
  const languages: Record<string, { documents: number; bytes: number }> = {};
  const files: Record<string, number> = {};
  for (const [index, { path }] of shards.entries()) {
    const read = markOf<ReadMark>(folder, { phase: "read", index });
    const write = markOf<WriteMark>(folder, { phase: "write", index });
    addFunnel(funnel, read.funnel);
    addFunnel(funnel, write.funnel);
    for (const [reason, count] of Object.entries(read.rejections)) rejections[reason] = (rejections[reason] ?? 0) + count;
    if (read.failed !== undefined) failures.push({ path, reason: read.failed });
    for (const [label, { documents, bytes }] of Object.entries(write.languages)) {
      const sum = languages[label] ?? { documents: 0, bytes: 0 };
      languages[label] = { documents: sum.documents + documents, bytes: sum.bytes + bytes };
      files[places.documents("", label, index)] = documents;
    }
  }
  for (const publish of tasksOf(plan, "publish")) Object.assign(files, markOf<PublishMark>(folder, publish).files);
  const { minScore } = readLanguageChoice(folder);
  const chosen = readChosen(folder);
  const thresholdsOf = thresholdsFor(recipe, chosen);
  const hashed = [];
  for (const path of Object.keys(files).sort()) hashed.push({ path, documents: files[path]!, sha256: await hashFile(join(folder, path)) });
  const sum = (key: "documents" | "bytes") => Object.values(languages).reduce((total, counts) => total + counts[key], 0);
  const manifest: CorpusManifest = {
    name: recipe.name,
    recipe,
    shards: shards.length,
    documents: sum("documents"),
    bytes: sum("bytes"),
    languages: Object.fromEntries(
      Object.entries(languages)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([label, counts]) => [label, { ...counts, minScore: minScore[label] ?? 0, filtered: thresholdsOf(label) !== undefined }]),
    ),
    funnel,
    rejections,
    failures,
    clusters: recipe.deduplicate ? readJson(places.mark(folder, { phase: "clusters", index: 0 })) : null,
    precision: chosen.precision,
    rehydration: recipe.rehydrate ? markOf<RehydrateMark>(folder, { phase: "rehydrate", index: 0 }).tables : null,
    files: hashed,
  };
  writeJson(places.manifest(folder), manifest);
  writeDurably(places.card(folder), dataCard(manifest));
  writeJson(places.mark(folder, task), {});
}
