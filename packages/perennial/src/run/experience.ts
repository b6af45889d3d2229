/** The replay buffer of a run: one for all stages, beside the checkpoints. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { FieldError } from "../errors.ts";
import { ExperienceReplay, type MixtureSource, ReplayBuffer } from "../mixture/index.ts";
import type { Recipe, RecipeStage } from "../recipe/index.ts";

export interface ExperienceOptions {
  readonly folder: string;
  readonly vocabSize: number;
  readonly rank: number;
  readonly worldSize: number;
  /** Whether a checkpoint leads back into a buffer that is there. */
  readonly resumed: boolean;
}

export class Experience {
  private readonly recipe: Recipe;
  private readonly options: ExperienceOptions;
  private readonly folder: string;
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

  /** `finished`: the run needs the buffer no more. */
  close({ finished }: { finished: boolean }): void {
    this.buffer?.close();
    if (finished) rmSync(join(this.options.folder, "replay"), { recursive: true, force: true });
  }

  private open({ experience, sequenceLength }: RecipeStage["train"]): ReplayBuffer {
    const { bufferTokens, buffer: mode } = experience!;
    const { checkpoints, seed } = this.recipe;
    const { vocabSize, rank, worldSize } = this.options;
    this.buffer ??= new ReplayBuffer({
      folder: this.folder,
      sequenceLength,
      vocabSize,
      mode,
      capacity: bufferTokens === null ? null : Math.floor(bufferTokens / sequenceLength / worldSize),
      seed: seed * worldSize + rank,
      keepStates: checkpoints.keepLast + checkpoints.keepBest + 2,
    });
    return this.buffer;
  }
}
