/**
 * A run as stages for a scheduler: what a launcher needs to know to submit one job array per stage. Tasks of a stage are independent of each
 * other; a stage begins when those it comes after are complete. Every command is idempotent, so a failed or repeated array is no harm.
 *
 *   openCorpus(folder, recipe)                 once, before anything is submitted: finds the shards, writes run.json
 *   corpusStages(plan, { recipe, folder })     then: name, tasks, after, args of every stage that has work
 *
 * A command takes its index from `--task-index`, or from the scheduler's variable (`taskIndexOf`): SLURM_ARRAY_TASK_ID and others. It runs the
 * tasks whose number is the index modulo `--task-count`, so that an array may have fewer members than there are tasks: pass `maxTasks`.
 */
import type { CorpusPlan, Phase } from "./plan.ts";
import { PHASES, tasksOf } from "./plan.ts";

export interface CorpusStage {
  readonly name: Phase;
  /** Members of the job array, indexes 0 … tasks − 1. */
  readonly tasks: number;
  /** Stages that must be complete before. */
  readonly after: readonly Phase[];
  /** Arguments of the `perennial` command, the same for every member. */
  readonly args: readonly string[];
  /** Memory that a member needs about, in bytes. */
  readonly memoryBytes: number;
}

export interface StageOptions {
  /** Path of the recipe, as it stands in the commands. */
  readonly recipe: string;
  readonly folder: string;
  readonly maxTasks?: number;
}

/** What each phase waits for; a phase without tasks passes its own conditions on. */
const AFTER: Readonly<Record<Phase, readonly Phase[]>> = {
  read: [],
  references: [],
  languages: ["read"],
  signatures: ["languages"],
  buckets: ["signatures"],
  clusters: ["buckets"],
  measure: ["clusters", "references"],
  thresholds: ["measure"],
  write: ["thresholds"],
  rehydrate: ["write"],
  publish: ["rehydrate"],
  manifest: ["publish"],
};

/** Node.js with the library, a language model and a shard's buffers; sorting stages add what the recipe grants them. */
const BASE_BYTES = 1 << 30;
const SORTING: readonly Phase[] = ["signatures", "buckets", "clusters"];

export function corpusStages(plan: CorpusPlan, { recipe, folder, maxTasks = Number.POSITIVE_INFINITY }: StageOptions): CorpusStage[] {
  const counts = new Map(PHASES.map((phase) => [phase, Math.min(maxTasks, tasksOf(plan, phase).length)]));
  const waitsFor = (phase: Phase): Phase[] => [
    ...new Set(AFTER[phase].flatMap((before) => (counts.get(before)! > 0 ? [before] : waitsFor(before)))),
  ];
  return PHASES.filter((phase) => counts.get(phase)! > 0).map((name) => {
    const tasks = counts.get(name)!;
    return {
      name,
      tasks,
      after: waitsFor(name),
      args: ["corpus", "run", recipe, "--output", folder, "--stage", name, "--task-count", String(tasks)],
      memoryBytes: BASE_BYTES + (SORTING.includes(name) ? plan.recipe.memoryBytes : 0),
    };
  });
}

/** Variables in which schedulers give an array member its index, and the index of the first. */
const INDEX_VARIABLES: readonly (readonly [name: string, first: number])[] = [
  ["SLURM_ARRAY_TASK_ID", 0], // arrays are submitted as 0-(tasks − 1)
  ["PBS_ARRAY_INDEX", 0],
  ["PBS_ARRAYID", 0],
  ["SGE_TASK_ID", 1], // begin at 1
  ["LSB_JOBINDEX", 1],
  ["AWS_BATCH_JOB_ARRAY_INDEX", 0],
  ["JOB_COMPLETION_INDEX", 0], // Kubernetes
  ["OAR_ARRAY_INDEX", 1],
];

/** The index that a scheduler has set, from 0; undefined outside of job arrays (Sun's says "undefined" there, LSF's 0). */
export function taskIndexOf(env: Readonly<Record<string, string | undefined>>): number | undefined {
  for (const [name, first] of INDEX_VARIABLES) {
    const index = /^\d+$/.test(env[name] ?? "") ? Number(env[name]) - first : -1;
    if (index >= 0) return index;
  }
  return undefined;
}
