/**
 * Where everything lies in the folder of a run.
 *
 *   run.json                              recipe, shards, hashes of the lists
 *   marks/PHASE/000012.json               a finished task with its counts; those of deduplication lie in its folder
 *   journal/PHASE/000012.json             progress inside a task
 *   read/000012.jsonl.zst                 documents of a shard, extracted and identified
 *   rejected/000012.jsonl.zst             its broken records
 *   references/000.json                   statistics and stop words of a reference corpus
 *   deduplicate/                          signatures, buckets, clusters (deduplicate/workspace.ts); the index of later runs
 *   measured/000012.jsonl.zst             the numbers that filters decide by, a line per document (measured.ts)
 *   documents/kab_Latn/000012.jsonl.zst   what is kept, by language
 *   dropped/read/, dropped/write/         what is not, with the reason and the numbers that led to it
 *   parquet/, rehydrated/                 the same documents in another format; repeated by cluster size
 *   manifest.json, README.md              counts and hashes; the data card
 */
import { join } from "node:path";
import { duplicatePaths } from "../deduplicate/index.ts";

/** In the order of their work. */
export const PHASES = [
  "read",
  "languages",
  "signatures",
  "buckets",
  "clusters",
  "references",
  "measure",
  "thresholds",
  "write",
  "rehydrate",
  "publish",
  "manifest",
] as const;
export type Phase = (typeof PHASES)[number];

export interface CorpusTask {
  readonly phase: Phase;
  readonly index: number;
}

const digits = (index: number) => String(index).padStart(6, "0");
const shardFile = (index: number, ending = "jsonl.zst") => `${digits(index)}.${ending}`;

export const places = {
  plan: (folder: string) => join(folder, "run.json"),
  mark: (folder: string, task: CorpusTask) => markOf(folder, task),
  journal: (folder: string, { phase, index }: CorpusTask) => join(folder, "journal", phase, `${digits(index)}.json`),
  read: (folder: string, shard: number) => join(folder, "read", shardFile(shard)),
  reference: (folder: string, index: number) => join(folder, "references", `${digits(index)}.json`),
  duplicates: (folder: string) => join(folder, "deduplicate"),
  measured: (folder: string, shard: number) => join(folder, "measured", shardFile(shard)),
  documents: (folder: string, label: string, shard: number) => join(folder, "documents", label, shardFile(shard)),
  parquet: (folder: string, label: string, shard: number) => join(folder, "parquet", label, shardFile(shard, "parquet")),
  rehydrated: (folder: string, label: string, shard: number) => join(folder, "rehydrated", label, shardFile(shard)),
  dropped: (folder: string, phase: "read" | "write", shard: number) => join(folder, "dropped", phase, shardFile(shard)),
  rejected: (folder: string, shard: number) => join(folder, "rejected", shardFile(shard)),
  manifest: (folder: string) => join(folder, "manifest.json"),
  card: (folder: string) => join(folder, "README.md"),
};

/** The stages of deduplication have marks of their own. */
function markOf(folder: string, { phase, index }: CorpusTask): string {
  if (phase === "signatures") return duplicatePaths.signatures(places.duplicates(folder), index);
  if (phase === "buckets") return duplicatePaths.bucket(places.duplicates(folder), index);
  if (phase === "clusters") return duplicatePaths.clusters(places.duplicates(folder));
  return join(folder, "marks", phase, `${digits(index)}.json`);
}

/** What a phase leaves in the folder, marks included: gone when the phase is to run again. */
export const leavings: Readonly<Record<Phase, readonly string[]>> = {
  read: ["read", "rejected", "dropped/read", "marks/read", "journal/read"],
  references: ["references", "marks/references"],
  languages: ["marks/languages"],
  signatures: ["deduplicate"],
  buckets: [],
  clusters: [],
  measure: ["measured", "marks/measure", "journal/measure"],
  thresholds: ["marks/thresholds"],
  write: ["documents", "dropped/write", "marks/write", "journal/write"],
  rehydrate: ["marks/rehydrate"],
  publish: ["parquet", "rehydrated", "marks/publish"],
  manifest: ["manifest.json", "README.md", "marks/manifest"],
};
