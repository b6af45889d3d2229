/**
 * A uniform sample of a language's documents over any number of shards, in bounded memory: every document has a priority in [0, 1) drawn from
 * its id, and those with the smallest are kept. Samples of shards join to a sample of all, the same whatever the order: a shard that had to
 * leave documents out says from which priority on, and beyond the least of these nothing counts.
 */
import { createHash } from "node:crypto";

export interface Sample<T> {
  readonly entries: readonly (readonly [priority: number, value: T])[];
  /** Entries of this priority and above may be missing. */
  readonly below: number;
}

export const priorityOf = (id: string): number => createHash("sha256").update(id).digest().readUIntBE(0, 6) / 2 ** 48;

export class Sampler<T> {
  private entries: (readonly [priority: number, value: T])[];
  private below: number;
  private readonly capacity: number;

  constructor(capacity: number, from: Sample<T> = { entries: [], below: 1 }) {
    this.capacity = capacity;
    this.entries = [...from.entries];
    this.below = from.below;
  }

  /** `make` is called only for a document that is taken. */
  add(id: string, make: () => T): void {
    const priority = priorityOf(id);
    if (priority >= this.below) return;
    this.entries.push([priority, make()]);
    if (this.entries.length >= 2 * this.capacity) this.cut();
  }

  merge({ entries, below }: Sample<T>): void {
    this.below = Math.min(this.below, below);
    this.entries = [...this.entries, ...entries].filter(([priority]) => priority < this.below);
    this.cut();
  }

  toJSON(): Sample<T> {
    this.cut();
    return { entries: this.entries, below: this.below };
  }

  private cut(): void {
    this.entries.sort(([a], [b]) => a - b);
    const first = this.entries[this.capacity];
    if (first === undefined) return;
    this.below = first[0];
    this.entries.length = this.capacity;
  }
}
