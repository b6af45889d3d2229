/**
 * A run in its folder: which tasks there are, which are done, and where everything lies. A task is idempotent; its mark is written last and
 * holds its counts. Any scheduler can run the tasks of a phase in any order on any number of machines that share the folder; phases follow
 * each other.
 *
 *   run.json                          recipe and shards
 *   marks/PHASE/000012.json           a finished task; those of deduplication lie in its folder
 *   journal/PHASE/000012.json         progress inside a task
 *   read/000012.jsonl.zst             documents of a shard, extracted and identified
 *   deduplicate/                      signatures, buckets, clusters (deduplicate/workspace.ts); the index of later runs
 *   documents/kab_Latn/000012.jsonl.zst   what is kept, by language
 *   dropped/000012.jsonl.zst          what is not, with the reason and the numbers that led to it
 *   manifest.json, README.md          counts and hashes; the data card
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FieldError } from "../../errors.ts";
import { duplicatePaths, openDuplicateRun } from "../deduplicate/index.ts";
import { readJson, writeJson } from "../durable.ts";
import { type CorpusRecipe, type CorpusRecipeInput, corpusSchema } from "./recipe.ts";
import { findShards, type Shard } from "./shards.ts";

export interface CorpusPlan {
  readonly recipe: CorpusRecipe;
  readonly shards: readonly Shard[];
}

export const PHASES = ["read", "thresholds", "signatures", "buckets", "clusters", "write", "manifest"] as const;
export type Phase = (typeof PHASES)[number];

export interface CorpusTask {
  readonly phase: Phase;
  readonly index: number;
}

const digits = (index: number) => String(index).padStart(6, "0");

export const places = {
  plan: (folder: string) => join(folder, "run.json"),
  mark: (folder: string, task: CorpusTask) => markOf(folder, task),
  journal: (folder: string, { phase, index }: CorpusTask) => join(folder, "journal", phase, `${digits(index)}.json`),
  read: (folder: string, shard: number) => join(folder, "read", `${digits(shard)}.jsonl.zst`),
  duplicates: (folder: string) => join(folder, "deduplicate"),
  documents: (folder: string, label: string, shard: number) => join(folder, "documents", label, `${digits(shard)}.jsonl.zst`),
  dropped: (folder: string, shard: number) => join(folder, "dropped", `${digits(shard)}.jsonl.zst`),
  rejected: (folder: string, shard: number) => join(folder, "rejected", `${digits(shard)}.jsonl.zst`),
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

/** Starts a run in `folder`, or takes up the one that is there if recipe and inputs are the same. */
export function openCorpus(folder: string, given: CorpusRecipeInput): CorpusPlan {
  const recipe = corpusSchema.parse(given);
  const plan: CorpusPlan = { recipe, shards: findShards(recipe.inputs) };
  const present = readJson<CorpusPlan>(places.plan(folder));
  if (present && JSON.stringify(present) !== JSON.stringify(JSON.parse(JSON.stringify(plan))))
    throw new FieldError("CORPUS_RESUME", {
      at: places.plan(folder),
      expected: "the recipe and the inputs of this run",
      todo: "choose another folder, or remove this one to start over",
    });
  if (recipe.deduplicate) {
    const earlier = recipe.earlier === undefined ? undefined : places.duplicates(recipe.earlier);
    openDuplicateRun(places.duplicates(folder), recipe.deduplicate, plan.shards.length, earlier);
  }
  if (!present) writeJson(places.plan(folder), plan);
  return plan;
}

export function readPlan(folder: string): CorpusPlan {
  const plan = readJson<CorpusPlan>(places.plan(folder));
  if (!plan) throw new FieldError("CORPUS_RESUME", { at: places.plan(folder), expected: "a corpus run", todo: "start it with runCorpus" });
  return plan;
}

/** All tasks of a phase. */
export function tasksOf({ recipe, shards }: CorpusPlan, phase: Phase): CorpusTask[] {
  const bands = recipe.deduplicate?.method === "minhash" ? recipe.deduplicate.numBands : 1;
  const duplicates = recipe.deduplicate ? 1 : 0;
  const counts: Record<Phase, number> = {
    read: shards.length,
    thresholds: 1,
    signatures: duplicates * shards.length,
    buckets: duplicates * bands,
    clusters: duplicates,
    write: shards.length,
    manifest: 1,
  };
  return Array.from({ length: counts[phase] }, (_, index) => ({ phase, index }));
}

export const isDone = (folder: string, task: CorpusTask): boolean => existsSync(places.mark(folder, task));
