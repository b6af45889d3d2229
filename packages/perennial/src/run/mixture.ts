/** The source of a stage: the recipe's shares over the prepared corpora. */

import { FieldError } from "../errors.ts";
import {
  type MixtureEntry,
  MixtureSource,
  normalize,
  type PackedCorpus,
  pack,
  type SeenSource,
  sharesBySize,
  withReplay,
} from "../mixture/index.ts";
import type { PlannedStage, RecipeStage } from "../recipe/index.ts";
import type { PreparedCorpus } from "./corpora.ts";

export interface StageSourceOptions {
  readonly stage: RecipeStage;
  readonly planned: PlannedStage;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  /** What earlier stages of the run saw. */
  readonly memory: readonly SeenSource[];
  readonly seed: number;
  readonly rank: number;
  readonly worldSize: number;
}

export function stageSource({ stage, planned, corpora, memory, seed, rank, worldSize }: StageSourceOptions): MixtureSource {
  const { mixture, train } = stage;
  const packed = (name: string): PackedCorpus =>
    pack(corpora.get(name)!.train, { sequenceLength: train.sequenceLength, attention: mixture.attention, packing: mixture.packing });
  const sizes = Object.fromEntries(mixture.sources.map(({ corpus }) => [corpus, corpora.get(corpus)!.train.numTokens]));
  const bySize = sharesBySize(sizes, mixture.samplingTemperature);
  const fresh = mixture.sources.map(({ corpus, share, maxEpochs, order }) => ({
    name: corpus,
    packed: packed(corpus),
    share: share ?? bySize[corpus]!,
    order,
    ...(maxEpochs === null ? {} : { epochs: maxEpochs }),
  }));
  const { replay } = mixture;
  const sources = replay === null || replay.share === 0 ? fresh : replayed(fresh, replay, memory, packed);
  const source = new MixtureSource({
    sources,
    seed,
    microBatchSize: train.microBatchSize,
    schedule: mixture.changes.map(({ step, shares, overSteps }) => ({ step, shares, over: overSteps })),
    rank,
    worldSize,
  });
  checkBudget(stage, planned, sources);
  return source;
}

/**
 * Old corpora that a stage of this run has seen are replayed from what it saw; those of a model that came from elsewhere
 * are drawn like any source, within the same share.
 */
function replayed(
  fresh: readonly (MixtureEntry & { share: number })[],
  replay: NonNullable<RecipeStage["mixture"]["replay"]>,
  memory: readonly SeenSource[],
  packed: (name: string) => PackedCorpus,
): MixtureEntry[] {
  const known = memory.filter(({ name }) => replay.corpora.includes(name));
  const old = new Map(replay.corpora.map((name) => [name, packed(name)]));
  if (known.length === replay.corpora.length && known.every(({ name, hash }) => old.get(name)!.hash === hash)) {
    return withReplay(fresh, { share: replay.share, memory: known, corpora: old, order: replay.order });
  }
  const sizes = Object.fromEntries([...old].map(([name, { corpus }]) => [name, corpus.numTokens]));
  const oldShares = normalize(sizes);
  const newShares = normalize(Object.fromEntries(fresh.map(({ name, share }) => [name, share])));
  return [
    ...fresh.map((entry) => ({ ...entry, share: newShares[entry.name]! * (1 - replay.share) })),
    ...[...old].map(([name, corpus]) => ({
      name,
      packed: corpus,
      share: oldShares[name]! * replay.share,
      ...(replay.maxEpochs === null ? {} : { epochs: replay.maxEpochs }),
    })),
  ];
}

/** Epoch caps that leave less than the stage asks for are known before the first step. */
function checkBudget(stage: RecipeStage, planned: PlannedStage, sources: readonly MixtureEntry[]): void {
  const sequences = planned.tokens / stage.train.sequenceLength;
  const available = sources.reduce(
    (sum, { epochs, packed }) => sum + (epochs === undefined ? Number.POSITIVE_INFINITY : Math.floor(epochs * packed.numSequences)),
    0,
  );
  if (available >= sequences) return;
  throw new FieldError("STAGE_BUDGET", {
    at: `stage ${stage.name}`,
    expected: `text for ${sequences} sequences within the epoch caps`,
    received: available,
    todo: "raise maxEpochs, add text, or lower train.tokens",
  });
}
