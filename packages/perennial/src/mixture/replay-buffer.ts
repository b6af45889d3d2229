/**
 * Replay buffer on the disk: sequences that training has seen, to be drawn again. Records of a sequence each, all of one size:
 *   [source, ids (T), labels (T)]   words of 16 bits for vocabularies below 2¹⁵, else of 32; the top bit of an id: a document begins here;
 *                                   all bits of a label: no label
 * Modes, with n records seen and room for C (unbounded: everything stays):
 *   reservoir   the n-th record, n > C, takes the slot j uniform on 0 … n−1 if j < C, else is dropped: every record seen is kept with
 *               probability C/n (Vitter's algorithm R)
 *   window      the newest C records
 * A draw is uniform over the records held, without repetition in itself. Memory: the records of one draw. Draws are read ahead while the
 * step computes, and read at once where that did not end in time: the same records either way.
 * State: counts and positions of the random streams; the store goes back to any of its last few states, so a resumed run draws what an
 * uninterrupted one draws.
 * Source: arXiv 2508.01908 and its code; the biases of the code (whole files at a time, slots overwritten at random, a batch that may
 * replay itself) are mended as the specification `replay-gradient-alignment` asks.
 */
import { z } from "zod";
import { FieldError } from "../errors.ts";
import { Stream, type StreamState, stream } from "../stream.ts";
import { type BatchBuilder, IGNORED } from "./batch.ts";
import { ReplayStore } from "./replay-store.ts";
import type { Batch } from "./source.ts";

export interface ReplayBufferOptions {
  readonly folder: string;
  readonly sequenceLength: number;
  readonly vocabSize: number;
  readonly mode: "reservoir" | "window";
  /** Records that are kept; null: all. A window needs one. */
  readonly capacity: number | null;
  readonly seed: number;
  /** So many of the last states can be restored. */
  readonly keepStates?: number;
}

/** Plain JSON. */
export interface ReplayBufferState {
  readonly shape: string;
  /** Batches added, records seen. */
  readonly batches: number;
  readonly seen: number;
  readonly mark: number;
  readonly sources: readonly string[];
  readonly draw: StreamState;
  readonly reservoir: StreamState;
}

const words = z.strictObject({ words: z.tuple([z.number(), z.number(), z.number(), z.number()]) });
const stateSchema = z.strictObject({
  shape: z.string(),
  batches: z.int().nonnegative(),
  seen: z.int().nonnegative(),
  mark: z.int().nonnegative(),
  sources: z.array(z.string()),
  draw: words,
  reservoir: words,
});

/** Vocabularies below this leave the top bit of a 16-bit word free, and the word of ones. */
const SMALL_VOCABULARY = 2 ** 15 - 1;

export class ReplayBuffer {
  readonly sequenceLength: number;
  private readonly options: ReplayBufferOptions;
  private readonly store: ReplayStore;
  private readonly small: boolean;
  private readonly record: Uint16Array | Uint32Array;
  private readonly draws: Stream;
  private readonly reservoir: Stream;
  private sources: string[] = [];
  private seen = 0;
  private numBatches = 0;
  /** Slot → its record, read ahead for the next draw. */
  private ahead = new Map<number, Uint8Array>();

  constructor(options: ReplayBufferOptions) {
    const { folder, sequenceLength, vocabSize, mode, capacity, seed, keepStates = 4 } = options;
    if (capacity === null ? mode === "window" : capacity < 1)
      throw new FieldError("REPLAY_CAPACITY", {
        at: "capacity",
        expected: `room for at least one sequence of ${sequenceLength} tokens`,
        received: capacity,
      });
    this.options = options;
    this.sequenceLength = sequenceLength;
    this.small = vocabSize <= SMALL_VOCABULARY;
    this.record = new (this.small ? Uint16Array : Uint32Array)(1 + 2 * sequenceLength);
    this.store = new ReplayStore(folder, { recordBytes: this.record.byteLength, keepMarks: keepStates });
    this.draws = stream(seed, "replay/draw");
    this.reservoir = stream(seed, "replay/reservoir");
  }

  /** Records held. */
  get size(): number {
    return Math.min(this.seen, this.options.capacity ?? Number.POSITIVE_INFINITY);
  }

  /** Calls of `add` so far. */
  get batches(): number {
    return this.numBatches;
  }

  /** Takes in the rows of a batch of which something can be learned. */
  add(rows: readonly { readonly batch: Batch; readonly row: number; readonly source: string }[]): void {
    for (const { batch, row, source } of rows) {
      const { size } = this;
      const slot = this.slotOf(this.seen++);
      if (slot === undefined) continue;
      this.encode(batch, row, source);
      this.store.write(slot, bytesOf(this.record), slot < size);
    }
    this.numBatches++;
  }

  /** `count` different records, or all there are. */
  draw(count: number): DrawnRow[] {
    const slots = chooseSlots(this.draws, count, this.size);
    const drawn = slots.map((slot) => this.decode(this.ahead.get(slot) ?? this.readNow(slot)));
    this.ahead = new Map();
    return drawn;
  }

  /** Begins to read what the next draw of so many records will want; nothing may be added before it. */
  readAhead(count: number): void {
    const ahead = new Map<number, Uint8Array>();
    this.ahead = ahead;
    for (const slot of chooseSlots(new Stream(this.draws.state()), count, this.size)) {
      const bytes = new Uint8Array(this.record.byteLength);
      this.store.readSoon(slot, bytes, () => ahead.set(slot, bytes));
    }
  }

  state(): ReplayBufferState {
    return {
      shape: this.shape(),
      batches: this.numBatches,
      seen: this.seen,
      mark: this.store.mark(),
      sources: [...this.sources],
      draw: this.draws.state(),
      reservoir: this.reservoir.state(),
    };
  }

  restore(saved: unknown): void {
    const parsed = stateSchema.safeParse(saved);
    if (!parsed.success || parsed.data.shape !== this.shape())
      throw new FieldError("REPLAY_STATE", {
        at: "replay buffer",
        expected: `the state of a buffer of ${this.shape()}`,
        received: parsed.success ? parsed.data.shape : undefined,
      });
    const { batches, seen, mark, sources, draw, reservoir } = parsed.data;
    this.store.goBack(mark);
    this.numBatches = batches;
    this.seen = seen;
    this.sources = sources;
    this.draws.restore(draw);
    this.reservoir.restore(reservoir);
    this.ahead = new Map();
  }

  close(): void {
    this.store.close();
  }

  /** Where the record with this number (from 0) goes. */
  private slotOf(number: number): number | undefined {
    const { mode, capacity } = this.options;
    if (capacity === null || number < capacity) return number;
    if (mode === "window") return number % capacity;
    const slot = this.reservoir.integer(number + 1);
    return slot < capacity ? slot : undefined;
  }

  private encode({ inputIds, labels, documentIds }: Batch, row: number, source: string): void {
    const { sequenceLength: T, record, small } = this;
    const at = row * T;
    let number = this.sources.indexOf(source);
    if (number < 0) number = this.sources.push(source) - 1;
    const [begins, none] = small ? [0x8000, 0xffff] : [0x80000000, 0xffffffff];
    record[0] = number;
    for (let t = 0; t < T; t++) {
      const isFirst = t === 0 || documentIds[at + t] !== documentIds[at + t - 1];
      record[1 + t] = inputIds[at + t]! + (isFirst ? begins : 0);
      const label = labels[at + t]!;
      record[1 + T + t] = label === IGNORED ? none : label;
    }
  }

  private readNow(slot: number): Uint8Array {
    const bytes = new Uint8Array(this.record.byteLength);
    this.store.read(slot, bytes);
    return bytes;
  }

  private decode(bytes: Uint8Array): DrawnRow {
    const { sequenceLength: T, small } = this;
    const record = small ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
    const [begins, none] = small ? [0x8000, 0xffff] : [0x80000000, 0xffffffff];
    return {
      source: this.sources[record[0]!]!,
      fill: (batch, row) => {
        const at = row * T;
        let [documentId, start, targetTokens] = [-1, 0, 0];
        for (let t = 0; t < T; t++) {
          const id = record[1 + t]!;
          if (id >= begins) [documentId, start] = [documentId + 1, t];
          batch.inputIds[at + t] = id >= begins ? id - begins : id;
          batch.positionIds[at + t] = t - start;
          batch.documentIds[at + t] = documentId;
          const label = record[1 + T + t]!;
          batch.labels[at + t] = label === none ? IGNORED : label;
          if (label !== none) targetTokens++;
        }
        return targetTokens;
      },
    };
  }

  private shape(): string {
    const { mode, capacity, sequenceLength } = this.options;
    return `${capacity ?? "all"} sequences of ${sequenceLength} tokens, ${mode}, ${this.small ? 16 : 32} bits`;
  }
}

export interface DrawnRow {
  readonly source: string;
  /** Writes the sequence into a row; returns its target tokens. */
  fill(batch: BatchBuilder, row: number): number;
}

/** `count` different slots out of `size`, uniform (Floyd's algorithm), in random order. */
function chooseSlots(random: Stream, count: number, size: number): number[] {
  const chosen = new Set<number>();
  for (let top = Math.max(0, size - count); top < size; top++) {
    const slot = random.integer(top + 1);
    chosen.add(chosen.has(slot) ? top : slot);
  }
  return [...chosen];
}

const bytesOf = (words: Uint16Array | Uint32Array) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
