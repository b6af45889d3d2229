import { z } from "zod";
import { FieldError, PerennialError } from "../errors.ts";
import { BatchBuilder } from "./batch.ts";
import { Blend, type BlendKind } from "./blend.ts";
import { makeOrder, type Order, type OrderSpec } from "./order.ts";
import type { PackedCorpus } from "./packing.ts";
import type { SeenSource } from "./replay.ts";
import { normalize, type ShareChange, ShareSchedule, type Shares, sharesBySize, unknownSource } from "./shares.ts";
import type { Batch, Source, SourceState } from "./source.ts";

export interface MixtureEntry {
  readonly name: string;
  readonly packed: PackedCorpus;
  /** Share of all sequences, against the other sources' shares. Every source has one, or none has. */
  readonly share?: number;
  /** The source is drawn at most so many times over; without it, as often as its share asks for. */
  readonly epochs?: number;
  /** `sequential` keeps the order of the corpus, for corpora that are ordered on purpose. */
  readonly order?: "shuffled" | "sequential";
  /** Draws again what an earlier stage has drawn; made by `withReplay`. */
  readonly replay?: { readonly seen: SeenSource; readonly reshuffle: boolean };
}

export interface MixtureOptions {
  readonly sources: readonly MixtureEntry[];
  readonly seed: number;
  /** Sequences in a micro-batch. */
  readonly microBatchSize: number;
  /** τ of shares ∝ tokens^(1/τ), for sources without shares. */
  readonly temperature?: number;
  /** Shares that change later; a step is one call of `next`. Those of the sources hold from step 0. */
  readonly schedule?: readonly ShareChange[];
  readonly blend?: BlendKind;
  readonly rank?: number;
  readonly worldSize?: number;
}

/** What a source was to give and gave, from the first step on and over all processes. */
export interface AchievedShare {
  /** Of the sequences, by the shares in force at each step; what a source at its epoch cap cannot give goes to the others. */
  readonly requestedShare: number;
  readonly sequences: number;
  readonly sequenceShare: number;
  readonly documents: number;
  readonly documentShare: number;
  readonly tokens: number;
  readonly tokenShare: number;
  /** Labels that count: the weight in the loss. */
  readonly targetTokens: number;
  readonly targetTokenShare: number;
  /** Passes over the source. */
  readonly epochs: number;
}

interface Counter {
  documents: number;
  tokens: number;
  targetTokens: number;
}

const count = z.int().nonnegative();
const stateSchema = z.strictObject({
  version: z.literal(1),
  seed: z.number(),
  step: count,
  sample: count,
  origin: count,
  random: z.strictObject({ words: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
  override: z.record(z.string(), z.number()).nullable(),
  sources: z.record(
    z.string(),
    z.strictObject({
      hash: z.string(),
      share: z.number(),
      target: z.number(),
      sequences: count,
      documents: count,
      tokens: count,
      targetTokens: count,
    }),
  ),
});

/**
 * Several packed corpora as one stream of sequences with given shares.
 * The stream is global: sample n = 0, 1, … is the same whatever the number of processes. A step takes the next
 * worldSize · microBatches · microBatchSize samples, and rank r the r-th slice of them, so a run may go on with another number of
 * processes (and the same global batch) as if nothing had happened. The state is a count for each source and a few numbers; restoring it
 * is O(1), and shares, caps and even the list of sources may be other ones than before: cursors stay, so no sample is repeated or lost.
 * Once every source with a share is at its epoch cap, the last step's free rows are ignored ones, and the next call throws.
 */
export class MixtureSource implements Source {
  private readonly entries: readonly MixtureEntry[];
  private readonly names: readonly string[];
  private readonly schedule: ShareSchedule;
  private readonly limits: readonly number[];
  private readonly microBatchSize: number;
  private readonly sequenceLength: number;
  private readonly rank: number;
  private readonly worldSize: number;
  private readonly blendKind: BlendKind;
  private readonly counters: Counter[];
  private seed: number;
  private step = 0;
  private override: Shares | undefined;
  private blend: Blend;
  private orders: readonly Order[];

  constructor(options: MixtureOptions) {
    const { sources, seed, microBatchSize, rank = 0, worldSize = 1, blend = "low-discrepancy" } = options;
    checkOptions(options);
    this.entries = sources;
    this.names = sources.map(({ name }) => name);
    this.schedule = new ShareSchedule(this.names, [{ step: 0, shares: sharesOf(options) }, ...(options.schedule ?? [])]);
    this.limits = sources.map(({ packed, epochs }) =>
      epochs === undefined ? Number.POSITIVE_INFINITY : Math.floor(epochs * packed.numSequences),
    );
    this.microBatchSize = microBatchSize;
    this.sequenceLength = sources[0]!.packed.sequenceLength;
    this.rank = rank;
    this.worldSize = worldSize;
    this.blendKind = blend;
    this.counters = sources.map(() => ({ documents: 0, tokens: 0, targetTokens: 0 }));
    this.seed = seed;
    this.blend = new Blend(blend, sources.length, seed);
    this.orders = this.makeOrders();
  }

  next(microBatches: number): Batch[] {
    const { blend, microBatchSize, entries } = this;
    const mine = microBatches * microBatchSize;
    const first = this.rank * mine;
    if (!this.share()) throw this.exhausted();
    const batches = Array.from({ length: microBatches }, () => new BatchBuilder(microBatchSize, this.sequenceLength));
    for (let i = 0; i < this.worldSize * mine; i++) {
      const d = blend.next();
      const { name, packed } = entries[d]!;
      const draw = blend.counts[d]! - 1;
      const sequence = this.orders[d]!(draw);
      const counts = packed.counts(sequence);
      const counter = this.counters[d]!;
      counter.documents += counts.documents;
      counter.tokens += counts.tokens;
      counter.targetTokens += counts.targetTokens;
      const row = i - first;
      if (row >= 0 && row < mine) {
        const batch = batches[Math.floor(row / microBatchSize)]!;
        packed.fill(sequence, batch, row % microBatchSize);
        batch.count(name, counts.targetTokens);
      }
      if (draw + 1 >= this.limits[d]! && !this.share()) break;
    }
    this.step++;
    return batches.map((batch) => batch.finish());
  }

  /** Shares from the next step on, in place of those of the schedule: for a mixer that learns. */
  setShares(shares: Shares): void {
    for (const name of Object.keys(shares)) if (!this.names.includes(name)) throw unknownSource(name, this.names, "setShares");
    this.override = normalize(shares, "setShares");
  }

  shares(): Record<string, AchievedShare> {
    const total = { documents: 0, tokens: 0, targetTokens: 0 };
    for (const counter of this.counters) for (const key of ["documents", "tokens", "targetTokens"] as const) total[key] += counter[key];
    const part = (value: number, of: number) => (of === 0 ? 0 : value / of);
    const all = this.names.map((name, d): [string, AchievedShare] => {
      const { documents, tokens, targetTokens } = this.counters[d]!;
      const sequences = this.blend.counts[d]!;
      return [
        name,
        {
          requestedShare: part(this.blend.target(d), this.blend.sample),
          sequences,
          sequenceShare: part(sequences, this.blend.sample),
          documents,
          documentShare: part(documents, total.documents),
          tokens,
          tokenShare: part(tokens, total.tokens),
          targetTokens,
          targetTokenShare: part(targetTokens, total.targetTokens),
          epochs: sequences / this.entries[d]!.packed.numSequences,
        },
      ];
    });
    return Object.fromEntries(all);
  }

  /** What a later stage may replay: this stage's sources, and of `before` those that were not replayed in this stage. */
  memory(before: readonly SeenSource[] = []): SeenSource[] {
    const seen = this.entries.map(({ name, packed, replay }, d): SeenSource => {
      const sequences = this.blend.counts[d]!;
      const { tokens } = this.counters[d]!;
      if (replay !== undefined) return { ...replay.seen, tokens: replay.seen.tokens + tokens, replayed: replay.seen.replayed + sequences };
      return { name, hash: packed.hash, order: this.orderSpec(d), seen: sequences, tokens, replayed: 0 };
    });
    return [...before.filter(({ name }) => !this.names.includes(name)), ...seen.filter((source) => source.seen > 0)];
  }

  state(): SourceState {
    const { sample, origin, targets, counts, shares, random } = this.blend.state();
    const sources = this.entries.map(({ name, packed }, d) => [
      name,
      { hash: packed.hash, share: shares[d]!, target: targets[d]!, sequences: counts[d]!, ...this.counters[d]! },
    ]);
    const { seed, step, override = null } = this;
    return { version: 1, seed, step, sample, origin, random, override, sources: Object.fromEntries(sources) };
  }

  restore(state: SourceState): void {
    const { seed, step, sample, origin, random, override, sources } = parseState(state);
    for (const { name, packed } of this.entries) {
      const { hash } = sources[name] ?? packed;
      if (hash === packed.hash) continue;
      throw new FieldError("SOURCE_CHANGED", {
        at: `source "${name}"`,
        expected: `the corpus and packing that the checkpoint has positions in (${hash})`,
        received: packed.hash,
        todo: "use the same texts, tokenizer, sequenceLength, attention and packing, or another name for the new corpus",
      });
    }
    this.seed = seed;
    this.step = step;
    this.override = override ?? undefined;
    const saved = this.names.map((name) => sources[name]);
    this.blend = new Blend(this.blendKind, this.names.length, seed);
    this.blend.restore({
      sample,
      origin,
      random,
      targets: saved.map((source) => source?.target ?? 0),
      counts: saved.map((source) => source?.sequences ?? 0),
      shares: saved.map((source) => source?.share ?? 0),
    });
    for (const [d, source] of saved.entries()) {
      const { documents = 0, tokens = 0, targetTokens = 0 } = source ?? {};
      this.counters[d] = { documents, tokens, targetTokens };
    }
    this.orders = this.makeOrders();
  }

  /** Gives the blend the shares of this step over the sources below their caps; false when there is none. */
  private share(): boolean {
    const wanted = this.override === undefined ? this.schedule.at(this.step) : this.names.map((name) => this.override?.[name] ?? 0);
    const open = wanted.map((share, d) => (this.blend.counts[d]! < this.limits[d]! ? share : 0));
    const sum = open.reduce((total, share) => total + share, 0);
    if (sum <= 0) return false;
    this.blend.setShares(open.some((share, d) => share !== wanted[d]) ? open.map((share) => share / sum) : wanted);
    return true;
  }

  private exhausted(): PerennialError {
    const sources = this.names.map((name, d) => `${name} (${this.entries[d]!.epochs ?? 0} epochs, ${this.blend.counts[d]!} sequences)`);
    const todo = "Raise the epoch caps, add data, or plan fewer steps.";
    return new PerennialError("SOURCE_EXHAUSTED", `Nothing is left to draw after step ${this.step}: ${sources.join(", ")}. ${todo}`);
  }

  private makeOrders(): Order[] {
    return this.entries.map((_, d) => makeOrder(this.orderSpec(d)));
  }

  private orderSpec(d: number): OrderSpec {
    const { name, packed, order = "shuffled", replay } = this.entries[d]!;
    const size = packed.numSequences;
    if (replay !== undefined) {
      const { seen } = replay;
      return { kind: "replay", of: seen.order, seen: seen.seen, offset: seen.replayed, reshuffle: replay.reshuffle };
    }
    return order === "sequential" ? { kind: "sequential", size } : { kind: "shuffled", size, seed: this.seed, name };
  }
}

function checkOptions({ sources, microBatchSize, rank = 0, worldSize = 1 }: MixtureOptions): void {
  if (sources.length === 0) throw new FieldError("MIXTURE_EMPTY", { at: "mixture.sources", expected: "at least one source" });
  const positive = { microBatchSize, worldSize };
  for (const [at, value] of Object.entries(positive))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new FieldError("MIXTURE_SIZE", { at, expected: "a positive integer", received: value });
  if (!Number.isInteger(rank) || rank < 0 || rank >= worldSize)
    throw new FieldError("MIXTURE_RANK", { at: "rank", expected: `an integer from 0 to ${worldSize - 1}`, received: rank });
  const { sequenceLength } = sources[0]!.packed;
  for (const [i, { name, packed, epochs }] of sources.entries()) {
    const at = `mixture.sources[${i}]`;
    if (sources.findIndex((other) => other.name === name) !== i)
      throw new FieldError("MIXTURE_NAME", { at: `${at}.name`, expected: "a name that no other source has", received: name });
    if (packed.sequenceLength !== sequenceLength) {
      const received = packed.sequenceLength;
      throw new FieldError("MIXTURE_LENGTH", {
        at: `${at} sequenceLength`,
        expected: `${sequenceLength}, as in the first source`,
        received,
      });
    }
    if (epochs !== undefined && !(epochs > 0))
      throw new FieldError("MIXTURE_EPOCHS", { at: `${at}.epochs`, expected: "a number above 0", received: epochs });
  }
}

/** The shares from step 0 on: those of the sources, or by size where none has one. */
function sharesOf({ sources, temperature }: MixtureOptions): Shares {
  const given = sources.filter(({ share }) => share !== undefined);
  if (given.length === 0) {
    const sizes = Object.fromEntries(sources.map(({ name, packed }) => [name, packed.corpus.numTokens]));
    return sharesBySize(sizes, temperature ?? 1);
  }
  const without = sources.find(({ share }) => share === undefined);
  if (without !== undefined || temperature !== undefined) {
    throw new FieldError("MIXTURE_SHARE", {
      at: without === undefined ? "mixture.temperature" : `mixture source "${without.name}"`,
      expected: "either a share for every source, or none and a temperature",
      todo: without === undefined ? "drop the temperature, or the shares" : "give it a share as well, or drop those of the others",
    });
  }
  return Object.fromEntries(sources.map(({ name, share }) => [name, share!]));
}

function parseState(state: SourceState): z.output<typeof stateSchema> {
  const result = stateSchema.safeParse(state);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new FieldError("SOURCE_STATE", {
    at: `source state ${issue.path.join(".")}`,
    expected: `the state of a mixture (${issue.message})`,
  });
}
