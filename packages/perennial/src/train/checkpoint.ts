/**
 * Checkpoints: everything that a run needs to go on as if nothing had happened. A checkpoint is a folder
 * `checkpoints/000400/` with the model (a Hugging Face folder of its own), the tensors of optimizer and rules, and `state.json`, which
 * knows size and CRC-32C of every file and of itself. The folder is filled under another name, synced and renamed
 * (`checkpoint-writer.ts`), so one with a plain number was whole when it was written; what a disk has done to it since is found out
 * before it is used.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  checksumFile,
  cuda,
  type Device,
  defaultGenerator,
  type FileSummary,
  openSafetensors,
  type optim,
  scope,
  setGeneratorState,
  tensor,
} from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import { crc32c } from "./crc32c.ts";
import type { Rule } from "./rule.ts";

/** What is saved as JSON. */
export interface CheckpointState {
  readonly version: 1;
  /** Hash of the resolved recipe; a run goes on only with the same one. */
  readonly recipeHash: string;
  readonly stage: number;
  /** Steps finished in the stage. */
  readonly stageStep: number;
  /** Steps finished in the run. */
  readonly step: number;
  /** Target tokens so far. */
  readonly tokens: number;
  readonly source: unknown;
  /** What earlier stages saw, for replay. */
  readonly memory: unknown;
  readonly optimizer: Omit<optim.OptimizerState, "tensors">;
  readonly rules: Readonly<Record<string, unknown>>;
  /** State of libtorch's default generator, base64. */
  readonly generator: string;
  /** The same of the GPU that the model was trained on. */
  readonly cudaGenerator?: string;
  /** Bits per byte by corpus before the run. */
  readonly before: Readonly<Record<string, number>>;
  /** Hash of the model that the stage began with, for the lineage; null for a fresh one. */
  readonly parentHash: string | null;
  /** Saved at a step that the recipe names, not because somebody stopped the run: what rollbacks lead to, whether it was stopped or not. */
  readonly planned: boolean;
  /** Every other file of the folder, by its path in it. */
  readonly files: Readonly<Record<string, FileSummary>>;
}

export interface Checkpoint {
  readonly folder: string;
  readonly state: CheckpointState;
}

export type TrainingOptimizer = optim.Optimizer<{ learningRate: number; weightDecay: number }>;

export const checkpointsFolder = (run: string) => join(run, "checkpoints");
export const checkpointName = (step: number) => String(step).padStart(6, "0");

/** `state.json`: one line of JSON that carries its own checksum. */
export function formatState(state: CheckpointState): string {
  const text = JSON.stringify(state);
  return `{"crc32c":${crc32c(Buffer.from(text))},"state":${text}}\n`;
}

function parseState(text: string): CheckpointState {
  const { crc32c: sum, state } = JSON.parse(text) as { crc32c: number; state: CheckpointState };
  if (formatState(state) !== text || sum !== crc32c(Buffer.from(JSON.stringify(state)))) throw new Error("its checksum does not fit");
  if (state.version !== 1) throw new Error(`version ${state.version} is not known here`);
  return state;
}

/** Names of the checkpoints of a run, oldest first, whole or not. */
export function checkpointNames(run: string): string[] {
  const root = checkpointsFolder(run);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
}

/** Reads a checkpoint and compares every file with its size and checksum. Errors name the file. */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const state = stateOf(folder);
  for (const [name, { bytes, crc32c }] of Object.entries(state.files)) {
    const path = join(folder, name);
    const size = existsSync(path) ? statSync(path).size : undefined;
    if (size === undefined) throw damaged(path, "it is missing");
    if (size !== bytes) throw damaged(path, `it has ${size} bytes instead of ${bytes}`);
    if ((await checksumFile(path)).crc32c !== crc32c) throw damaged(path, "its checksum does not fit");
  }
  return { folder, state };
}

function stateOf(folder: string): CheckpointState {
  const path = join(folder, "state.json");
  try {
    return parseState(readFileSync(path, "utf8"));
  } catch (error) {
    throw damaged(path, (error as Error).message, error);
  }
}

const damaged = (path: string, problem: string, cause?: unknown) =>
  new PerennialError("CHECKPOINT_DAMAGED", `${path}: the checkpoint is damaged (${problem})`, { cause });

/**
 * The newest checkpoint that is whole (and `wanted`); damaged ones are told of and set aside under another name. Undefined when there is
 * none at all. Errors when all of them are damaged.
 */
export async function newestCheckpoint(
  run: string,
  warn: (text: string) => void,
  wanted: (checkpoint: Checkpoint) => boolean = () => true,
): Promise<Checkpoint | undefined> {
  restoreReplaced(run);
  let problem: Error | undefined;
  const broken: string[] = [];
  for (const name of checkpointNames(run).reverse()) {
    const folder = join(checkpointsFolder(run), name);
    try {
      const checkpoint = await openCheckpoint(folder);
      if (!wanted(checkpoint)) continue;
      for (const path of broken) setAside(path);
      return checkpoint;
    } catch (error) {
      problem = error as Error;
      broken.push(folder);
      warn(`${problem.message}; using the one before`);
    }
  }
  if (problem === undefined) return undefined;
  throw new PerennialError(
    "CHECKPOINT",
    `${run}: no checkpoint is whole. ${problem.message}. Delete ${checkpointsFolder(run)} to start over.`,
    {
      cause: problem,
    },
  );
}

function setAside(folder: string): void {
  rmSync(`${folder}.damaged`, { recursive: true, force: true });
  renameSync(folder, `${folder}.damaged`);
}

/** What `replaceCheckpoint` leaves when it is killed between its two renames. */
const REPLACED = /^\.(\d+)\.replaced$/;

/** Puts a finished folder in the place of a checkpoint; at every moment one of the two can be found again. */
export function replaceCheckpoint(root: string, temporary: string, name: string): void {
  const [final, old] = [join(root, name), join(root, `.${name}.replaced`)];
  rmSync(old, { recursive: true, force: true });
  if (existsSync(final)) renameSync(final, old);
  renameSync(temporary, final);
  rmSync(old, { recursive: true, force: true });
}

/** Brings back what a killed process was about to replace and deletes what it had not finished. */
export function restoreReplaced(run: string): void {
  const root = checkpointsFolder(run);
  if (!existsSync(root)) return;
  for (const leftover of readdirSync(root)) {
    const name = REPLACED.exec(leftover)?.[1];
    if (name !== undefined && !existsSync(join(root, name))) renameSync(join(root, leftover), join(root, name));
    else if (leftover.startsWith(".")) rmSync(join(root, leftover), { recursive: true, force: true });
  }
}

/** Puts optimizer, rules and random numbers back. The model is loaded from `folder/model` by the caller. */
export function restoreParts(
  { folder, state }: Checkpoint,
  parts: { readonly optimizer: TrainingOptimizer; readonly rules: readonly Rule[] },
): void {
  scope(() => {
    const reader = openSafetensors(join(folder, "optimizer.safetensors"));
    restoreOptimizer(parts.optimizer, { ...state.optimizer, tensors: new Map(reader.names.map((name) => [name, reader.read(name)])) });
    reader.close();
    for (const rule of parts.rules) if (rule.name in state.rules) rule.restore?.(state.rules[rule.name]);
    const saved = join(folder, "rules.safetensors");
    if (existsSync(saved)) {
      const tensors = openSafetensors(saved);
      for (const rule of parts.rules) for (const [name, value] of rule.tensors?.() ?? []) value.copy_(tensors.read(`${rule.name}/${name}`));
      tensors.close();
    }
    putBack("cpu", state.generator);
    // A run that went over to the CPU leaves the GPU's numbers behind.
    if (state.cudaGenerator !== undefined && cuda.isAvailable()) putBack("cuda", state.cudaGenerator);
  });
}

const putBack = (device: Device, generator: string) =>
  setGeneratorState(defaultGenerator(device), tensor(new Uint8Array(Buffer.from(generator, "base64"))));

/** Takes over the state of another optimizer; one that has not made a step has no moments yet. */
export function restoreOptimizer(optimizer: TrainingOptimizer, state: optim.OptimizerState): void {
  if (state.tensors.size > 0) {
    optimizer.restore(state);
    return;
  }
  optimizer.dispose();
  for (const [i, group] of optimizer.groups.entries()) Object.assign(group, state.settings[i] ?? {});
  optimizer.restoreSteps(state);
}

/** Notes how good the checkpoint of a step is (lower is better), if there is one: what keep-best compares. */
export function scoreCheckpoint(run: string, step: number, score: number): void {
  const folder = join(checkpointsFolder(run), checkpointName(step));
  if (!existsSync(folder)) return;
  writeFileSync(join(folder, "score.json.tmp"), JSON.stringify(score));
  renameSync(join(folder, "score.json.tmp"), join(folder, "score.json"));
}

/** How good a checkpoint is; undefined when it was never measured. */
export function scoreOf(folder: string): number | undefined {
  try {
    const score = JSON.parse(readFileSync(join(folder, "score.json"), "utf8")) as unknown;
    return typeof score === "number" ? score : undefined;
  } catch {
    return undefined; // never measured
  }
}

export interface Keeping {
  /** Newest checkpoints that are kept. */
  readonly keepLast: number;
  /** Best ones kept besides. */
  readonly keepBest: number;
  /** Whether the newest one that was measured is kept as well: what a bound goes back to. */
  readonly keepMeasured: boolean;
  /** Whether the newest planned one is kept as well: what a spike goes back to. */
  readonly keepPlanned: boolean;
  /** Steps whose checkpoints are kept besides: where branches leave. */
  readonly keepSteps?: readonly number[];
}

/** Deletes all checkpoints that need not be kept. */
export function pruneCheckpoints(run: string, { keepLast, keepBest, keepMeasured, keepPlanned, keepSteps = [] }: Keeping): void {
  const all = checkpointNames(run).map((name) => join(checkpointsFolder(run), name));
  const scored = all.flatMap((folder) => {
    const score = scoreOf(folder);
    return score === undefined ? [] : [{ folder, score }];
  });
  const best = [...scored].sort((a, b) => a.score - b.score).slice(0, keepBest);
  const measured = keepMeasured ? scored.slice(-1) : [];
  const planned = keepPlanned ? all.findLast(isPlanned) : undefined;
  const named = keepSteps.map((step) => join(checkpointsFolder(run), checkpointName(step)));
  const kept = new Set([...all.slice(-keepLast), ...named, ...[...best, ...measured].map(({ folder }) => folder), planned]);
  for (const folder of all) if (!kept.has(folder)) rmSync(folder, { recursive: true, force: true });
}

function isPlanned(folder: string): boolean {
  try {
    return stateOf(folder).planned;
  } catch {
    return false; // damaged: told of when somebody wants to load it
  }
}
