/** The source of a stage: the recipe's shares over the prepared corpora. */

import { FieldError } from "../errors.ts";
import {
  type MixtureEntry,
  MixtureSource,
  normalize,
  type PackedCorpus,
  pack,
  type SeenSource,
  type Shares,
  sampleSources,
  withReplay,
} from "../mixture/index.ts";
import type { PlannedStage, RecipeStage } from "../recipe/index.ts";
import type { PreparedCorpus } from "./corpora.ts";
import { orderKey } from "./source-order.ts";

export interface StageSourceOptions {
  readonly stage: RecipeStage;
  readonly planned: PlannedStage;
  /** Of the stage as written: what sampling makes its shares for. */
  readonly fullTokens: number;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  /** What earlier stages of the run saw. */
  readonly memory: readonly SeenSource[];
  readonly seed: number;
  readonly rank: number;
  readonly worldSize: number;
}

export interface StageSource {
  readonly source: MixtureSource;
  /** Shares that the stage begins with, replayed sources included. */
  readonly shares: Shares;
}

type Order = RecipeStage["mixture"]["sources"][number]["order"];

export function stageSource({ stage, planned, fullTokens, corpora, memory, seed, rank, worldSize }: StageSourceOptions): StageSource {
  const { mixture, train } = stage;
  const packed = (name: string, order: Order = "shuffled"): PackedCorpus => {
    const { train: text, ordered } = corpora.get(name)!;
    const { sequenceLength } = train;
    const { attention, packing } = mixture;
    return pack(typeof order === "string" ? text : ordered!.get(orderKey(order))!, { sequenceLength, attention, packing });
  };
  const packedSources = new Map(mixture.sources.map(({ corpus, order }) => [corpus, packed(corpus, order)]));
  const sized = mixture.sources.map(({ corpus, share, maxEpochs, group }) => ({
    name: corpus,
    tokens: packedSources.get(corpus)!.corpus.numTokens,
    language: corpora.get(corpus)!.language,
    ...{ share, maxEpochs, group },
  }));
  const sampled = sampleSources(sized, mixture.sampling, fullTokens * (1 - (mixture.replay?.share ?? 0)), `stage ${stage.name}`);
  const fresh = mixture.sources.flatMap(({ corpus, order }, i) => {
    const { share, maxEpochs } = sampled[i]!;
    if (share === 0) return [];
    return {
      name: corpus,
      packed: packedSources.get(corpus)!,
      share,
      order: readAs(order),
      ...(maxEpochs === null ? {} : { epochs: maxEpochs }),
    };
  });
  const { replay } = mixture;
  const sources = replay === null || replay.share === 0 ? fresh : replayed(fresh, replay, memory, packed);
  const source = new MixtureSource({
    sources,
    seed,
    // With replay from a buffer, sequences are put together one by one.
    microBatchSize: train.experience === null ? train.microBatchSize : 1,
    schedule: mixture.changes.map(({ step, shares, overSteps }) => ({ step, shares, over: overSteps })),
    rank,
    worldSize,
  });
  checkBudget(stage, planned, sources);
  return { source, shares: Object.fromEntries(sources.map(({ name, share = 0 }) => [name, share])) };
}

/** A curriculum is read in its order; of related documents the windows are shuffled: the relation is inside them. */
const readAs = (order: Order): "shuffled" | "sequential" =>
  typeof order === "string" ? order : order.order === "perplexity" ? "sequential" : "shuffled";

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
