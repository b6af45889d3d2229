/**
 * The most frequent of very many names in bounded memory (Misra and Gries 1982): with capacity k a count is too small by at most
 * n / k of the n names added, and every name that makes up more than that is there.
 */
export class TopCounts {
  private readonly counts = new Map<string, number>();
  private readonly capacity: number;

  constructor(capacity = 1 << 16) {
    this.capacity = capacity;
  }

  add(name: string): void {
    const count = this.counts.get(name);
    if (count !== undefined) this.counts.set(name, count + 1);
    else if (this.counts.size < this.capacity) this.counts.set(name, 1);
    else
      for (const [other, value] of this.counts)
        if (value === 1) this.counts.delete(other);
        else this.counts.set(other, value - 1);
  }

  /** Largest first; ties by name. */
  top(size: number): [name: string, count: number][] {
    return [...this.counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, size);
  }
}
