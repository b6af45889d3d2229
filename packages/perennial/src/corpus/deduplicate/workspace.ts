/**
 * The folder of a deduplication run, stage by stage:
 *
 *   plan.json                      settings, shards, the earlier corpora in front of them
 *   signatures/000012-000.keys     stage 1, a task per shard: [band][record], records (128-bit key, document number) in order
 *   signatures/000012.json         … its parts and counts; written last, so that it is the completion mark
 *   buckets/003.keys               stage 2, a task per band: all shards' records in order; the index for later corpora
 *   buckets/003.pairs, 003.json    … documents that share a key; the mark
 *   clusters/duplicates.records    stage 3, one task: (document, oldest document of its cluster, cluster size) in order
 *   clusters/summary.json          … the mark
 *
 * Stage 4 reads `duplicates.records` beside the shards. A task whose mark exists is not run again; everything else is written over.
 * Shards of a corpus are numbered after those of the earlier corpora, so that the smallest number is the oldest document.
 */
import { join } from "node:path";
import { FieldError } from "../../errors.ts";
import { readJson, writeJson } from "../durable.ts";
import type { DuplicateSettings } from "./sketch.ts";

export interface DuplicatePlan {
  readonly settings: DuplicateSettings;
  /** Shards of this corpus. */
  readonly numShards: number;
  /** Shards of all corpora before this one. */
  readonly earlierShards: number;
  /** Folder of the newest earlier run; its index holds all before it. */
  readonly earlier: string | null;
}

export const KEY_WORDS = 3;

export const paths = {
  plan: (folder: string) => join(folder, "plan.json"),
  part: (folder: string, shard: number, part: number) => join(folder, "signatures", `${digits(shard, 6)}-${digits(part, 3)}.keys`),
  signatures: (folder: string, shard: number) => join(folder, "signatures", `${digits(shard, 6)}.json`),
  keys: (folder: string, band: number) => join(folder, "buckets", `${digits(band, 3)}.keys`),
  pairs: (folder: string, band: number) => join(folder, "buckets", `${digits(band, 3)}.pairs`),
  bucket: (folder: string, band: number) => join(folder, "buckets", `${digits(band, 3)}.json`),
  duplicates: (folder: string) => join(folder, "clusters", "duplicates.records"),
  clusters: (folder: string) => join(folder, "clusters", "summary.json"),
  scratch: (folder: string, name: string) => join(folder, "scratch", name),
};

const digits = (number: number, count: number) => String(number).padStart(count, "0");

/** Starts a run in `folder`, or resumes the one that is there if it is the same. `earlier`: folder of the run before, if any. */
export function openDuplicateRun(folder: string, settings: DuplicateSettings, numShards: number, earlier?: string): DuplicatePlan {
  const before = earlier === undefined ? undefined : readJson<DuplicatePlan>(paths.plan(earlier));
  if (earlier !== undefined && !before)
    throw new FieldError("DEDUPLICATE_INDEX", { at: earlier, expected: "the folder of an earlier deduplication run, with plan.json" });
  if (before && JSON.stringify(before.settings) !== JSON.stringify(settings))
    throw new FieldError("DEDUPLICATE_INDEX", {
      at: paths.plan(earlier!),
      expected: `settings equal to this run's, ${JSON.stringify(settings)}`,
      received: before.settings,
      todo: "use the earlier settings, or deduplicate the earlier corpus again",
    });
  const plan: DuplicatePlan = {
    settings,
    numShards,
    earlierShards: before ? before.earlierShards + before.numShards : 0,
    earlier: earlier ?? null,
  };
  const present = readJson<DuplicatePlan>(paths.plan(folder));
  if (present && JSON.stringify(present) !== JSON.stringify(plan))
    throw new FieldError("DEDUPLICATE_RESUME", {
      at: paths.plan(folder),
      expected: "the plan of this run",
      received: present,
      todo: "choose another folder, or remove this one to start over",
    });
  if (!present) writeJson(paths.plan(folder), plan);
  return plan;
}

export function readDuplicatePlan(folder: string): DuplicatePlan {
  const plan = readJson<DuplicatePlan>(paths.plan(folder));
  if (!plan)
    throw new FieldError("DEDUPLICATE_RESUME", { at: paths.plan(folder), expected: "a plan", todo: "call openDuplicateRun first" });
  return plan;
}
