/**
 * What is made of the kept documents once all are known: how often each is to be repeated by the size of its cluster (rehydrate), and the
 * files for others: Parquet, and the repeated documents.
 */
import { existsSync } from "node:fs";
import { annotate, type Document } from "../document.ts";
import { writeJson } from "../durable.ts";
import { JsonlWriter, readDocuments, writeParquet } from "../formats/index.ts";
import { type RehydrationTable, rehydrationTable, removalBins, repetitions } from "../rehydrate/index.ts";
import { type CorpusPlan, type CorpusTask, markOf, places } from "./plan.ts";
import type { WriteMark } from "./write-phase.ts";

export interface RehydrateMark {
  /** By label: repetitions by first cluster size, and the share that filters removed over all sizes. */
  readonly tables: Readonly<Record<string, { readonly table: RehydrationTable; readonly removalShare: number }>>;
}

export interface PublishMark {
  /** Path in the folder → documents in it. */
  readonly files: Readonly<Record<string, number>>;
}

export function chooseRepetitions(folder: string, { recipe, shards }: CorpusPlan, task: CorpusTask): void {
  const counts = new Map<string, Map<number, { documents: number; removed: number }>>();
  for (let index = 0; index < shards.length; index++) {
    const { clusterSizes } = markOf<WriteMark>(folder, { phase: "write", index });
    for (const [label, sizes] of Object.entries(clusterSizes)) {
      if (!counts.has(label)) counts.set(label, new Map());
      const sums = counts.get(label)!;
      for (const [size, { documents, removed }] of Object.entries(sizes)) {
        const sum = sums.get(Number(size)) ?? { documents: 0, removed: 0 };
        sums.set(Number(size), { documents: sum.documents + documents, removed: sum.removed + removed });
      }
    }
  }
  const tables = Object.fromEntries(
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, sizes]) => {
        const { bins, globalShare } = removalBins(sizes);
        return [label, { table: rehydrationTable(bins, globalShare, recipe.rehydrate!), removalShare: globalShare }];
      }),
  );
  writeJson(places.mark(folder, task), { tables } satisfies RehydrateMark);
}

export async function publishShard(folder: string, { recipe }: CorpusPlan, task: CorpusTask): Promise<void> {
  const { languages } = markOf<WriteMark>(folder, { phase: "write", index: task.index });
  const tables = recipe.rehydrate ? markOf<RehydrateMark>(folder, { phase: "rehydrate", index: 0 }).tables : {};
  const files: Record<string, number> = {};
  for (const label of Object.keys(languages)) {
    const source = places.documents(folder, label, task.index);
    if (!existsSync(source)) continue;
    if (recipe.formats.includes("parquet"))
      files[places.parquet("", label, task.index)] = await writeParquet(places.parquet(folder, label, task.index), readDocuments([source]));
    const table = tables[label]?.table;
    if (table) files[places.rehydrated("", label, task.index)] = await repeat(source, places.rehydrated(folder, label, task.index), table);
  }
  writeJson(places.mark(folder, task), { files } satisfies PublishMark);
}

async function repeat(source: string, path: string, table: RehydrationTable): Promise<number> {
  const writer = await JsonlWriter.open(path);
  try {
    for await (const document of readDocuments([source])) {
      const times = repetitions(table, document.clusterSize ?? 1);
      for (let copy = 1; copy <= times; copy++) writer.write(repeated(document, copy, times));
    }
  } catch (error) {
    writer.discard();
    throw error;
  }
  writer.close();
  return writer.documents;
}

/** The first copy keeps its id; all say which of how many they are. */
function repeated(document: Document, copy: number, of: number): Document {
  if (of === 1) return document;
  return annotate(copy === 1 ? document : { ...document, id: `${document.id}#${copy}` }, "repetition", { copy, of });
}
