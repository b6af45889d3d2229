/**
 * Checkpoints: everything that a run needs to go on as if nothing had happened. A checkpoint is a folder
 * `checkpoints/000400/` with the model (a Hugging Face folder of its own), the optimizer's tensors and `state.json`.
 * It is filled under another name, synced and renamed: a folder with a plain number is always whole.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  defaultGenerator,
  generatorState,
  openSafetensors,
  type optim,
  scope,
  setGeneratorState,
  type Tensor,
  tensor,
  writeSafetensors,
} from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import type { HuggingFaceConfig } from "../model/config.ts";
import type { Decoder } from "../model/decoder.ts";
import { saveModel } from "../model/folder.ts";
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
  readonly optimizer: { readonly step: number; readonly settings: readonly Record<string, unknown>[] };
  readonly rules: Readonly<Record<string, unknown>>;
  /** State of libtorch's default generator, base64. */
  readonly generator: string;
  /** Bits per byte by corpus before the run. */
  readonly before: Readonly<Record<string, number>>;
  /** Mean bits per byte at this moment, when it was measured: what keep-best compares. */
  readonly score: number | null;
}

const folderOf = (run: string) => join(run, "checkpoints");
const nameOf = (step: number) => String(step).padStart(6, "0");

export interface CheckpointParts {
  readonly model: Decoder;
  readonly rawConfig: HuggingFaceConfig;
  readonly optimizer: optim.Optimizer<{ learningRate: number; weightDecay: number }>;
  readonly rules: readonly Rule[];
}

/** Saves a checkpoint and returns its folder. On a full disk the older ones stay as they are. */
export function saveCheckpoint(
  run: string,
  parts: CheckpointParts,
  state: Omit<CheckpointState, "version" | "optimizer" | "rules" | "generator">,
): string {
  const root = folderOf(run);
  mkdirSync(root, { recursive: true });
  for (const leftover of readdirSync(root)) if (leftover.startsWith(".")) rmSync(join(root, leftover), { recursive: true, force: true });
  const temporary = join(root, `.${nameOf(state.step)}.${process.pid}`);
  mkdirSync(temporary);
  try {
    saveModel(join(temporary, "model"), parts.model, { rawConfig: parts.rawConfig });
    const { step, settings, tensors } = parts.optimizer.state();
    writeSafetensors(join(temporary, "optimizer.safetensors"), tensors);
    const ruleTensors = new Map<string, Tensor>();
    for (const rule of parts.rules) for (const [name, value] of rule.tensors?.() ?? []) ruleTensors.set(`${rule.name}/${name}`, value);
    if (ruleTensors.size > 0) writeSafetensors(join(temporary, "rules.safetensors"), ruleTensors);
    const generator = scope(() => Buffer.from(generatorState(defaultGenerator("cpu")).toTypedArray() as Uint8Array).toString("base64"));
    const whole: CheckpointState = {
      version: 1,
      ...state,
      optimizer: { step, settings },
      rules: Object.fromEntries(parts.rules.flatMap((rule) => (rule.state === undefined ? [] : [[rule.name, rule.state()]]))),
      generator,
    };
    writeSynced(join(temporary, "state.json"), JSON.stringify(whole));
    const final = join(root, nameOf(state.step));
    rmSync(final, { recursive: true, force: true });
    renameSync(temporary, final);
    return final;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const full = (error as NodeJS.ErrnoException).code === "ENOSPC";
    throw new PerennialError(
      "CHECKPOINT",
      `${root}: the checkpoint of step ${state.step} could not be saved (${full ? "the disk is full" : (error as Error).message}). The ones before it are intact; free some space and run again with --resume.`,
      { cause: error },
    );
  }
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, "w");
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export interface Checkpoint {
  readonly folder: string;
  readonly state: CheckpointState;
}

/** The whole checkpoints of a run, oldest first. */
export function listCheckpoints(run: string): Checkpoint[] {
  const root = folderOf(run);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => /^\d+$/.test(name) && existsSync(join(root, name, "state.json")))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => readCheckpoint(join(root, name)));
}

export function readCheckpoint(folder: string): Checkpoint {
  const path = join(folder, "state.json");
  try {
    const state = JSON.parse(readFileSync(path, "utf8")) as CheckpointState;
    if (state.version !== 1) throw new Error(`version ${state.version} is not known here`);
    return { folder, state };
  } catch (error) {
    throw new PerennialError("CHECKPOINT", `${path}: ${(error as Error).message}. Delete the folder to go on from the checkpoint before.`, {
      cause: error,
    });
  }
}

/** Puts optimizer, rules and random numbers back. The model is loaded from `folder/model` by the caller. */
export function restoreParts({ folder, state }: Checkpoint, parts: Omit<CheckpointParts, "rawConfig" | "model">): void {
  scope(() => {
    const reader = openSafetensors(join(folder, "optimizer.safetensors"));
    parts.optimizer.restore({ ...state.optimizer, tensors: new Map(reader.names.map((name) => [name, reader.read(name)])) });
    reader.close();
    for (const rule of parts.rules) if (rule.name in state.rules) rule.restore?.(state.rules[rule.name]);
    const saved = join(folder, "rules.safetensors");
    if (existsSync(saved)) {
      const tensors = openSafetensors(saved);
      for (const rule of parts.rules) for (const [name, value] of rule.tensors?.() ?? []) value.copy_(tensors.read(`${rule.name}/${name}`));
      tensors.close();
    }
    setGeneratorState(defaultGenerator("cpu"), tensor(new Uint8Array(Buffer.from(state.generator, "base64"))));
  });
}

/** Deletes all but the newest `keepLast` and the best `keepBest` checkpoints. */
export function pruneCheckpoints(run: string, keepLast: number, keepBest: number): void {
  const all = listCheckpoints(run);
  const best = all.filter(({ state }) => state.score !== null).sort((a, b) => a.state.score! - b.state.score!);
  const kept = new Set([...all.slice(-keepLast), ...best.slice(0, keepBest)].map(({ folder }) => folder));
  for (const { folder } of all) if (!kept.has(folder)) rmSync(folder, { recursive: true, force: true });
}
