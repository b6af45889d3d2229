import { FieldError } from "../errors.ts";
import type { MixtureEntry } from "./mixture-source.ts";
import type { OrderSpec } from "./order.ts";
import type { PackedCorpus } from "./packing.ts";
import { normalize } from "./shares.ts";

/** What earlier stages saw of one source: plain JSON, kept with the model. */
export interface SeenSource {
  readonly name: string;
  /** Of the packed corpus. */
  readonly hash: string;
  readonly order: OrderSpec;
  /** Sequences drawn in the stage in which the source was new. */
  readonly seen: number;
  /** Tokens drawn in all stages, replays included. */
  readonly tokens: number;
  /** Sequences drawn as replay in all stages: where the next replay begins. */
  readonly replayed: number;
}

export interface ReplayOptions {
  /** f, the fraction of all samples that is old, 0–1. */
  readonly share: number;
  readonly memory: readonly SeenSource[];
  /** The old corpora by name, packed as they were. */
  readonly corpora: ReadonlyMap<string, PackedCorpus>;
  /** `shuffled` (the default of the published code) or `original`: as the earlier stage drew them (the paper). */
  readonly order?: "shuffled" | "original";
}

/**
 * Compute-equivalent replay: a fraction f of all samples is old, the total stays what it was, so the new data gets only 1 − f of it.
 *   w_new[i]    = v_i / Σv · (1 − f)       v: shares of the new sources
 *   w_replay[j] = r_j / Σr · f             r: tokens of the old source j seen so far, replays included
 * Only sequences that the earlier stage really drew are replayed, beginning behind those that stages in between have replayed. Draws are
 * counted exactly here, so the 0.5 % margin of the published code (samples · 1.005, cut by /1.005) is not needed.
 * Source: arXiv 2403.08763, section on replay, and its branch `adding_replay` of GPT-NeoX.
 */
export function withReplay(newSources: readonly (MixtureEntry & { readonly share: number })[], options: ReplayOptions): MixtureEntry[] {
  const { share, memory, corpora, order = "shuffled" } = options;
  const shares = replayShares(Object.fromEntries(newSources.map((entry) => [entry.name, entry.share])), memory, share);
  const old = memory.map((seen): MixtureEntry => {
    const packed = corpora.get(seen.name);
    if (packed?.hash !== seen.hash) {
      throw new FieldError("REPLAY_CORPUS", {
        at: `replay source "${seen.name}"`,
        expected: "the corpus of the earlier stage, packed in the same way",
        received: packed?.hash,
        todo: packed === undefined ? "hand in its token shards" : "use the same texts, tokenizer, sequenceLength, attention and packing",
      });
    }
    return { name: seen.name, packed, share: shares[seen.name]!, replay: { seen, reshuffle: order === "shuffled" } };
  });
  return [...newSources.map((entry) => ({ ...entry, share: shares[entry.name]! })), ...old];
}

/** The shares of new and replayed sources; they sum to 1. */
export function replayShares(
  newShares: Readonly<Record<string, number>>,
  memory: readonly Pick<SeenSource, "name" | "tokens">[],
  share: number,
): Record<string, number> {
  if (!(share >= 0 && share <= 1))
    throw new FieldError("REPLAY_SHARE", {
      at: "replay.share",
      expected: "a number from 0 to 1",
      received: share,
      todo: "write 0.05 for 5 %",
    });
  if (memory.length === 0)
    throw new FieldError("REPLAY_MEMORY", { at: "replay.memory", expected: "at least one source that an earlier stage has seen" });
  const twice = memory.find(({ name }) => name in newShares);
  if (twice !== undefined) {
    throw new FieldError("REPLAY_NAME", {
      at: `replay source "${twice.name}"`,
      expected: "a name that no new source has",
      todo: "name each stage's corpus differently, e.g. with its month",
    });
  }
  const fresh = normalize(newShares);
  const old = normalize(Object.fromEntries(memory.map(({ name, tokens }) => [name, tokens])), "replay.memory");
  return {
    ...Object.fromEntries(Object.entries(fresh).map(([name, part]) => [name, part * (1 - share)])),
    ...Object.fromEntries(Object.entries(old).map(([name, part]) => [name, part * share])),
  };
}
