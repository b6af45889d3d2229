/** Saves checkpoints while training goes on: the state is copied at the step, files are written by a pool thread, then renamed as a whole. */
import { mkdirSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import {
  type Device,
  defaultGenerator,
  type FileSummary,
  generatorState,
  scope,
  type Tensor,
  writeSafetensorsInBackground,
} from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import { type Decoder, formatConfig, type LoadedModel, savedTensors, toHuggingFace } from "../model/index.ts";
import {
  type CheckpointState,
  checkpointName,
  checkpointsFolder,
  formatState,
  type Keeping,
  pruneCheckpoints,
  replaceCheckpoint,
  restoreReplaced,
  type TrainingOptimizer,
} from "./checkpoint.ts";
import { crc32c } from "./crc32c.ts";
import type { Rule } from "./rule.ts";

export interface CheckpointParts {
  readonly model: Decoder;
  readonly rawConfig: LoadedModel["rawConfig"];
  readonly optimizer: TrainingOptimizer;
  readonly rules: readonly Rule[];
}

export type CheckpointPosition = Omit<CheckpointState, "version" | "optimizer" | "rules" | "generator" | "cudaGenerator" | "files">;

/** One for a run. At most one checkpoint is on its way; what went wrong with it is thrown at the next call of any method. */
export class CheckpointWriter {
  private readonly run: string;
  private readonly root: string;
  private readonly keeping: Keeping;
  private pending: Promise<void> | undefined;
  private failure: unknown;

  constructor(run: string, keeping: Keeping) {
    this.run = run;
    this.root = checkpointsFolder(run);
    this.keeping = keeping;
    restoreReplaced(run);
  }

  /**
   * Waits for the checkpoint before, copies the state and returns; `saved` is called when the new one is whole and visible.
   * Where memory is too short for a copy the call waits until all is written.
   */
  async save(parts: CheckpointParts, position: CheckpointPosition, saved: (folder: string) => void): Promise<void> {
    await this.idle();
    const temporary = join(this.root, `.${checkpointName(position.step)}.${process.pid}`);
    const copy = bytesOf(parts) < freemem() / 2;
    const writing = this.write(parts, position, temporary, copy).then((folder) => {
      saved(folder);
      pruneCheckpoints(this.run, this.keeping);
    });
    this.pending = writing.catch((error: unknown) => {
      rmSync(temporary, { recursive: true, force: true });
      this.failure = this.explain(error, position.step);
    });
    if (!copy) await this.idle();
  }

  /** Waits until nothing is on its way. */
  async idle(): Promise<void> {
    await this.pending;
    this.pending = undefined;
    this.check();
  }

  /** Throws, once, if a checkpoint could not be saved. */
  check(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }

  private async write(parts: CheckpointParts, position: CheckpointPosition, temporary: string, copy: boolean): Promise<string> {
    mkdirSync(join(temporary, "model"), { recursive: true });
    const { tensors: moments, ...optimizer } = parts.optimizer.state();
    const state = JSON.stringify({
      version: 1,
      ...position,
      optimizer,
      rules: Object.fromEntries(parts.rules.flatMap((rule) => (rule.state === undefined ? [] : [[rule.name, rule.state()]]))),
      generator: generatorOf("cpu"),
      ...(parts.model.device === "cpu" ? {} : { cudaGenerator: generatorOf(parts.model.device) }),
    });
    const config = toHuggingFace(parts.model.config, parts.rawConfig, parts.model.embedTokens.weight.dtype);
    const ruleTensors = tensorsOf(parts.rules);
    const files: Record<string, Promise<FileSummary>> = {
      "model/model.safetensors": writeSafetensorsInBackground(join(temporary, "model/model.safetensors"), savedTensors(parts.model), {
        copy,
        metadata: { format: "pt" },
      }),
      "optimizer.safetensors": writeSafetensorsInBackground(join(temporary, "optimizer.safetensors"), moments, { copy }),
    };
    if (ruleTensors.size > 0)
      files["rules.safetensors"] = writeSafetensorsInBackground(join(temporary, "rules.safetensors"), ruleTensors, { copy });
    files["model/config.json"] = writeSynced(join(temporary, "model/config.json"), formatConfig(config));
    // All of them end before the folder is renamed, or removed.
    const ended = await Promise.allSettled(Object.values(files));
    const failed = ended.find((file) => file.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const summaries: Record<string, FileSummary> = {};
    for (const [name, summary] of Object.entries(files)) summaries[name] = await summary;
    const whole = { ...(JSON.parse(state) as Omit<CheckpointState, "files">), files: summaries };
    await writeSynced(join(temporary, "state.json"), formatState(whole));
    await syncFolder(join(temporary, "model"));
    await syncFolder(temporary);
    replaceCheckpoint(this.root, temporary, checkpointName(position.step));
    await syncFolder(this.root);

    return join(this.root, checkpointName(position.step));
  }

  private explain(error: unknown, step: number): PerennialError {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : message;
    return new PerennialError(
      "CHECKPOINT",
      `${this.root}: the checkpoint of step ${step} could not be saved (${reason}). The ones before it are intact; free some space and run again with --resume.`,
      { cause: error },
    );
  }
}

const generatorOf = (device: Device) =>
  scope(() => Buffer.from(generatorState(defaultGenerator(device)).toTypedArray() as Uint8Array).toString("base64"));

function tensorsOf(rules: readonly Rule[]): Map<string, Tensor> {
  return new Map(rules.flatMap((rule) => [...(rule.tensors?.() ?? [])].map(([name, value]) => [`${rule.name}/${name}`, value] as const)));
}

const bytesOf = ({ model, optimizer, rules }: CheckpointParts) =>
  [model.stateDict(), optimizer.state().tensors, tensorsOf(rules)].reduce(
    (sum, tensors) => sum + [...tensors.values()].reduce((part, value) => part + value.nbytes, 0),
    0,
  );

async function writeSynced(path: string, text: string): Promise<FileSummary> {
  const bytes = Buffer.from(text);
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes: bytes.length, crc32c: crc32c(bytes) };
}

/** A rename must survive a power cut; not every file system lets a folder be synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  try {
    await folder?.sync();
  } catch {
    // Then the order of writes is all there is.
  } finally {
    await folder?.close();
  }
}
