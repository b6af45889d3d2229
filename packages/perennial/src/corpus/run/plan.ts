/**
 * A run: which tasks there are and which are done. A task is idempotent; its mark is written last and holds its counts. Any scheduler can run
 * the tasks of a phase in any order on any number of machines that share the folder; phases follow each other (stages.ts).
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FieldError, PerennialError } from "../../errors.ts";
import { openDuplicateRun } from "../deduplicate/index.ts";
import { readJson, writeJson } from "../durable.ts";
import { THRESHOLD_FILTERS } from "./filter-steps.ts";
import { givenThresholds } from "./given-thresholds.ts";
import { hashLists } from "./lists.ts";
import { type CorpusTask, leavings, PHASES, type Phase, places } from "./places.ts";
import { type CorpusRecipe, type CorpusRecipeInput, corpusSchema } from "./recipe.ts";
import { findShards, type Shard } from "./shards.ts";

export { type CorpusTask, PHASES, type Phase, places } from "./places.ts";

export interface CorpusPlan {
  readonly recipe: CorpusRecipe;
  readonly shards: readonly Shard[];
  /** SHA-256 of every list that the recipe names. */
  readonly lists: Readonly<Record<string, string>>;
  /** Stop words of the given thresholds by label: what statistics depend on. */
  readonly stopWords: Readonly<Record<string, readonly string[]>>;
}

/** The first phase that a field of the recipe matters to; null: to none, so that it may change under way. */
const MATTERS_TO: Readonly<Record<keyof CorpusRecipe, Phase | null>> = {
  name: "manifest",
  crawl: "read",
  inputs: "read",
  output: null,
  reading: "read",
  urls: "read",
  robots: "read",
  extract: "read",
  license: "read",
  repair: "read",
  identify: "read",
  languages: "languages",
  deduplicate: "signatures",
  earlier: "signatures",
  score: "measure",
  thresholds: null, // looked at part by part
  filters: null, // so are they
  anonymize: "write",
  personalDataOffsets: "write",
  rehydrate: "rehydrate",
  formats: "publish",
  memoryBytes: null,
  checkpointItems: "read",
};

export interface OpenOptions {
  /** Take another recipe than the one that the folder was made with, and run again what it changes. */
  readonly redo?: boolean;
}

/** What a run of this recipe would do; nothing is written. */
export async function planCorpus(given: CorpusRecipeInput): Promise<CorpusPlan> {
  const recipe = corpusSchema.parse(given);
  const stopWords = Object.fromEntries([...givenThresholds(recipe)].map(([label, given]) => [label, given.stopWords]));
  return plain<CorpusPlan>({ recipe, stopWords, shards: await findShards(recipe.inputs, recipe.reading), lists: hashLists(recipe) });
}

/** Starts a run in `folder`, or takes up the one that is there if recipe and inputs are the same. */
export async function openCorpus(folder: string, given: CorpusRecipeInput, { redo = false }: OpenOptions = {}): Promise<CorpusPlan> {
  const plan = await planCorpus(given);
  const { recipe } = plan;
  const present = readJson<CorpusPlan>(places.plan(folder));
  const change = present === undefined ? undefined : firstChange(present, plan);
  if (change !== undefined) {
    if (!redo)
      throw new FieldError("CORPUS_RESUME", {
        at: places.plan(folder),
        expected: `the recipe and the inputs of this run; ${change.what} differs`,
        todo: `--redo runs ${change.phase} and what follows again; or choose another folder`,
      });
    forget(folder, change.phase);
  }
  if (recipe.deduplicate) {
    const earlier = recipe.earlier === undefined ? undefined : places.duplicates(recipe.earlier);
    openDuplicateRun(places.duplicates(folder), recipe.deduplicate, plan.shards.length, earlier);
  }
  if (!present || JSON.stringify(present) !== JSON.stringify(plan)) writeJson(places.plan(folder), plan);
  return plan;
}

/** As it comes back from the file: without fields that are undefined. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The earliest phase that has other inputs now. */
function firstChange(present: CorpusPlan, plan: CorpusPlan): { what: string; phase: Phase } | undefined {
  const changes: { what: string; phase: Phase }[] = [];
  for (const [field, phase] of Object.entries(MATTERS_TO) as [keyof CorpusRecipe, Phase | null][])
    if (phase !== null && !same(present.recipe[field], plan.recipe[field])) changes.push({ what: field, phase });
  if (!same(present.shards, plan.shards)) changes.push({ what: "the set of input files", phase: "read" });
  const before = present.recipe.thresholds;
  const now = plan.recipe.thresholds;
  if (!same(before.fit, now.fit)) changes.push({ what: "thresholds.fit", phase: "references" });
  if (before.missing !== now.missing) changes.push({ what: "thresholds.missing", phase: "measure" });
  // Other bounds on the same statistics need no new measurement.
  if (!same(present.stopWords, plan.stopWords)) changes.push({ what: "the stop words of thresholds.given", phase: "measure" });
  else if (!same(before.given, now.given)) changes.push({ what: "thresholds.given", phase: "thresholds" });
  if (!same(measuredBy(present.recipe), measuredBy(plan.recipe))) changes.push({ what: "filters", phase: "measure" });
  else if (!same(present.recipe.filters, plan.recipe.filters)) changes.push({ what: "filters", phase: "thresholds" });
  const ofThresholds = new Set(now.given.filter((given) => typeof given === "string"));
  for (const path of Object.keys({ ...present.lists, ...plan.lists }))
    if (present.lists[path] !== plan.lists[path])
      changes.push({ what: `the list ${path}`, phase: ofThresholds.has(path) ? "thresholds" : "read" });
  return changes.sort((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase))[0];
}

/** What of the filters the measurement depends on. */
const measuredBy = ({ filters }: CorpusRecipe) => [
  filters.some(({ filter }) => (THRESHOLD_FILTERS as readonly string[]).includes(filter)),
  ...filters.flatMap((step) => (step.filter === "precision" ? [step.lists] : [])),
];

function forget(folder: string, from: Phase): void {
  // Backwards, so that a kill in between leaves no phase that builds on one that is gone.
  for (const phase of PHASES.slice(PHASES.indexOf(from)).toReversed())
    for (const path of leavings[phase].toReversed()) rmSync(join(folder, path), { recursive: true, force: true });
}

export function readPlan(folder: string): CorpusPlan {
  const plan = readJson<CorpusPlan>(places.plan(folder));
  if (!plan)
    throw new FieldError("CORPUS_RESUME", { at: places.plan(folder), expected: "a corpus run", todo: "`perennial corpus run` starts one" });
  return plan;
}

/** All tasks of a phase. */
export function tasksOf({ recipe, shards }: CorpusPlan, phase: Phase): CorpusTask[] {
  const { deduplicate, thresholds, rehydrate, formats } = recipe;
  const bands = deduplicate?.method === "minhash" ? deduplicate.numBands : 1;
  const counts: Record<Phase, number> = {
    read: shards.length,
    references: thresholds.fit ? 1 + Object.keys(thresholds.fit.references).length : 0,
    languages: 1,
    signatures: deduplicate ? shards.length : 0,
    buckets: deduplicate ? bands : 0,
    clusters: deduplicate ? 1 : 0,
    measure: shards.length,
    thresholds: 1,
    write: shards.length,
    rehydrate: rehydrate ? 1 : 0,
    publish: rehydrate || formats.includes("parquet") ? shards.length : 0,
    manifest: 1,
  };
  return Array.from({ length: counts[phase] }, (_, index) => ({ phase, index }));
}

export const isDone = (folder: string, task: CorpusTask): boolean => existsSync(places.mark(folder, task));

/** What a finished task has left; throws where an earlier phase is not complete. */
export function markOf<T>(folder: string, task: CorpusTask): T {
  const mark = readJson<T>(places.mark(folder, task));
  if (mark === undefined)
    throw new PerennialError("CORPUS_ORDER", `${places.mark(folder, task)} is missing: run the stage ${task.phase} to its end first.`);
  return mark;
}
