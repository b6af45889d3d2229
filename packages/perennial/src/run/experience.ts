/**
 * The replay buffer of a run: one for all stages, beside the checkpoints; each process has its own, with its own part of what was seen.
 * The first process's place in its buffer is in the checkpoint; the others keep theirs beside their buffer, written before the checkpoint is.
 */
import { cpSync, existsSync, constants as fs, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../corpus/formats/index.ts";
import { FieldError, PerennialError } from "../errors.ts";
import { ExperienceReplay, type MixtureSource, ReplayBuffer, type SourceState } from "../mixture/index.ts";
import type { Recipe, RecipeStage } from "../recipe/index.ts";

export interface ExperienceOptions {
  readonly folder: string;
  readonly vocabSize: number;
  readonly rank: number;
  readonly worldSize: number;
  /** Whether a checkpoint leads back into a buffer that is there. */
  readonly resumed: boolean;
}

/** Copies of the buffers as they were at a step that a branch leaves from. */
export const branchPointFolder = (run: string, step: number) => join(run, "branch-points", String(step));

export class Experience {
  private readonly recipe: Recipe;
  private readonly options: ExperienceOptions;
  private readonly folder: string;
  private readonly keepStates: number;
  private buffer: ReplayBuffer | undefined;

  constructor(recipe: Recipe, options: ExperienceOptions) {
    const without = recipe.stages.find(({ train }) => train.experience === null);
    if (without !== undefined && recipe.stages.some(({ train }) => train.experience !== null))
      throw new FieldError("EXPERIENCE_STAGES", {
        at: `stage ${without.name} train.experience`,
        expected: "experience in every stage or in none: the buffer holds what the run has seen",
        received: null,
        todo: "write it under the recipe's own train, with share: 0 where nothing is to be replayed",
      });
    this.recipe = recipe;
    this.options = options;
    this.keepStates = recipe.checkpoints.keepLast + recipe.checkpoints.keepBest + 2;
    this.folder = join(options.folder, "replay", String(options.rank));
    // What a run left that was killed before its first checkpoint is not this run's.
    if (!options.resumed) rmSync(this.folder, { recursive: true, force: true });
  }

  /** The source of a stage with replay from the buffer in it, where the stage asks for that. */
  around(fresh: MixtureSource, { name, train }: RecipeStage): MixtureSource | ExperienceReplay {
    const { experience, microBatchSize } = train;
    if (experience === null) return fresh;
    const buffer = this.open(train);
    if (buffer.sequenceLength !== train.sequenceLength)
      throw new FieldError("EXPERIENCE_LENGTH", {
        at: `stage ${name} train.sequenceLength`,
        expected: `${buffer.sequenceLength}, as in the stages before: the buffer holds sequences of one length`,
        received: train.sequenceLength,
      });
    return new ExperienceReplay({ fresh, buffer, microBatchSize, share: experience.share, startStep: experience.startStep });
  }

  /**
   * Keeps the place of this process at a checkpoint, if it is another than the first; with `forBranch` a copy of its buffer besides.
   * Returns whether there is a buffer at all: then all processes must have been here before the checkpoint counts.
   */
  keep(step: number, state: SourceState, { forBranch }: { forBranch: boolean }): boolean {
    if (this.buffer === undefined) return false;
    const { rank, folder } = this.options;
    if (rank > 0) {
      writeFileAtomic(this.statePath(step), JSON.stringify(state));
      for (const old of this.keptSteps().slice(0, -this.keepStates)) rmSync(this.statePath(old));
    }
    if (forBranch) {
      const target = join(branchPointFolder(folder, step), String(rank));
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target, { recursive: true });
      // Where the file system can, the copies share their bytes with the buffer until that changes.
      cpSync(this.folder, target, { recursive: true, mode: fs.COPYFILE_FICLONE });
    }
    return true;
  }

  /** The place of this process at the checkpoint of a step, of which the first process's is given. */
  stateAt(step: number, first: SourceState): SourceState {
    const { rank, worldSize } = this.options;
    if (this.buffer === undefined) return first;
    const root = join(this.options.folder, "replay");
    const processes = existsSync(root) ? readdirSync(root).filter((name) => /^\d+$/.test(name)).length : 0;
    if (processes !== worldSize)
      throw new PerennialError(
        "EXPERIENCE_PROCESSES",
        `${root} holds the replay buffers of ${processes} processes; go on with ${processes} instead of ${worldSize}, each with its own.`,
      );
    if (rank === 0) return first;
    const path = this.statePath(step);
    if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as SourceState;
    throw new PerennialError(
      "REPLAY_STATE",
      `${path} is missing: process ${rank} cannot find its place in its replay buffer; start the run over.`,
    );
  }

  /** `finished`: the run needs the buffer no more. */
  close({ finished }: { finished: boolean }): void {
    this.buffer?.close();
    if (!finished || this.recipe.stages.at(-1)!.train.experience?.keepBuffer === true) return;
    rmSync(this.folder, { recursive: true, force: true });
    try {
      rmdirSync(join(this.options.folder, "replay"));
    } catch {
      // Never there, or another process is not done with its own.
    }
  }

  private open({ experience, sequenceLength }: RecipeStage["train"]): ReplayBuffer {
    const { bufferTokens, buffer: mode } = experience!;
    const { vocabSize, rank, worldSize } = this.options;
    this.buffer ??= new ReplayBuffer({
      folder: this.folder,
      sequenceLength,
      vocabSize,
      mode,
      capacity: bufferTokens === null ? null : Math.floor(bufferTokens / sequenceLength / worldSize),
      seed: this.recipe.seed * worldSize + rank,
      keepStates: this.keepStates,
    });
    return this.buffer;
  }

  private keptSteps(): number[] {
    return readdirSync(this.folder)
      .flatMap((name) => Number(/^state-(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN))
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
  }

  private statePath(step: number): string {
    return join(this.folder, `state-${step}.json`);
  }
}
