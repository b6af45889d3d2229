/**
 * Experience replay: of the B sequences of every step, ⌊α·B⌋ come from a buffer of what training has seen, the rest are new. The new ones go
 * into the buffer after the old ones are drawn, so that a step never replays itself. B stays what it was: a new token costs 1/(1 − α).
 *   B sequences of one process and step, over its micro-batches · α share, 0 ≤ α < 1
 * For the first `startStep` steps of the run, while the buffer fills, all B are new.
 * Unlike `withReplay`, which draws again from corpora of earlier stages, this needs nothing but its buffer: a stream that is read only once
 * can be replayed. Source: arXiv 2508.01908, specification `replay-gradient-alignment`.
 */
import { FieldError } from "../errors.ts";
import { BatchBuilder } from "./batch.ts";
import type { AchievedShare, MixtureSource } from "./mixture-source.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";
import type { Batch, Source, SourceState } from "./source.ts";

export interface ExperienceReplayOptions {
  /** Gives the new sequences, one to a micro-batch. */
  readonly fresh: MixtureSource;
  readonly buffer: ReplayBuffer;
  /** α. */
  readonly share: number;
  readonly startStep: number;
  /** Sequences in a micro-batch. */
  readonly microBatchSize: number;
}

interface Drawn {
  sequences: number;
  targetTokens: number;
}

/** Under this name what was replayed stands among the shares. */
export const REPLAYED = "replayed";

export class ExperienceReplay implements Source {
  private readonly options: ExperienceReplayOptions;
  private fresh: Drawn = { sequences: 0, targetTokens: 0 };
  private replayed: Drawn = { sequences: 0, targetTokens: 0 };

  constructor(options: ExperienceReplayOptions) {
    const { share } = options;
    if (!(share >= 0 && share < 1))
      throw new FieldError("REPLAY_SHARE", { at: "share", expected: "a number from 0 to below 1", received: share });
    this.options = options;
  }

  next(microBatches: number): Batch[] {
    const { fresh, buffer, microBatchSize } = this.options;
    const rows = microBatches * microBatchSize;
    const old = buffer.draw(this.oldRows(rows));
    const singles = fresh.next(rows - old.length);
    const batches = Array.from({ length: microBatches }, () => new BatchBuilder(microBatchSize, buffer.sequenceLength));
    const place = (i: number) => ({ batch: batches[Math.floor(i / microBatchSize)]!, row: i % microBatchSize });
    for (const [i, single] of singles.entries()) {
      const { batch, row } = place(i);
      copyRow(single, batch, row);
      for (const [source, count] of Object.entries(single.targetTokensBySource)) batch.count(source, count);
      add(this.fresh, single.targetTokens);
    }
    for (const [i, drawn] of old.entries()) {
      const { batch, row } = place(singles.length + i);
      const targetTokens = drawn.fill(batch, row);
      batch.count(drawn.source, targetTokens);
      add(this.replayed, targetTokens);
    }
    buffer.add(
      singles.flatMap((batch) => {
        const [source] = Object.keys(batch.targetTokensBySource);
        return source === undefined || batch.targetTokens === 0 ? [] : [{ batch, row: 0, source }];
      }),
    );
    buffer.readAhead(this.oldRows(rows));
    return batches.map((batch) => batch.finish());
  }

  /** Those of the new sources, and what was replayed as one. */
  shares(): Record<string, AchievedShare> {
    const { sequences, targetTokens } = this.replayed;
    const [part, targetPart] = [
      sequences / (sequences + this.fresh.sequences || 1),
      targetTokens / (targetTokens + this.fresh.targetTokens || 1),
    ];
    const shares = Object.entries(this.options.fresh.shares()).map(([name, share]): [string, AchievedShare] => [
      name,
      {
        ...share,
        requestedShare: share.requestedShare * (1 - part),
        sequenceShare: share.sequenceShare * (1 - part),
        documentShare: share.documentShare * (1 - part),
        tokenShare: share.tokenShare * (1 - part),
        targetTokenShare: share.targetTokenShare * (1 - targetPart),
      },
    ]);
    const tokens = sequences * this.options.buffer.sequenceLength;
    const replayed = { sequences, documents: sequences, tokens, targetTokens, epochs: 0 };
    const replayedShares = {
      requestedShare: part,
      sequenceShare: part,
      documentShare: part,
      tokenShare: part,
      targetTokenShare: targetPart,
    };
    return { ...Object.fromEntries(shares), [REPLAYED]: { ...replayed, ...replayedShares } };
  }

  memory(...given: Parameters<MixtureSource["memory"]>): ReturnType<MixtureSource["memory"]> {
    return this.options.fresh.memory(...given);
  }

  state(): SourceState {
    const { fresh, buffer } = this.options;
    return {
      version: 1,
      fresh: fresh.state(),
      buffer: buffer.state(),
      drawn: { fresh: { ...this.fresh }, replayed: { ...this.replayed } },
    };
  }

  restore(state: SourceState): void {
    const { fresh, buffer, drawn } = state as { fresh: SourceState; buffer: unknown; drawn: { fresh: Drawn; replayed: Drawn } };
    this.options.fresh.restore(fresh);
    this.options.buffer.restore(buffer);
    this.fresh = { ...drawn.fresh };
    this.replayed = { ...drawn.replayed };
  }

  /** ⌊α·B⌋, less while the buffer holds less. A share such as 0.29 · 100 is meant to be 29. */
  private oldRows(rows: number): number {
    const { buffer, share, startStep } = this.options;
    return buffer.batches < startStep ? 0 : Math.min(Math.floor(share * rows + 1e-9), buffer.size);
  }
}

function copyRow(single: Batch, batch: BatchBuilder, row: number): void {
  const at = row * single.sequenceLength;
  batch.inputIds.set(single.inputIds, at);
  batch.labels.set(single.labels, at);
  batch.positionIds.set(single.positionIds, at);
  batch.documentIds.set(single.documentIds, at);
}

function add(drawn: Drawn, targetTokens: number): void {
  drawn.sequences++;
  drawn.targetTokens += targetTokens;
}
