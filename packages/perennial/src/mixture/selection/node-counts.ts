/** Counts of the nodes of an n-gram tree, and what modified Kneser–Ney makes of them. Node 0 is the root; others are numbered from 1. */

export interface NodeStatistics {
  /** c of each node: see `ngram-model.ts`. */
  readonly counts: Uint32Array;
  /** c(h·) of each node as a history. */
  readonly totals: Float64Array;
  /** γ(h). */
  readonly gammas: Float64Array;
  /** By number of words k: discounts of c = 0, 1, 2 and more. */
  readonly discounts: readonly (readonly number[])[];
}

export class NodeCounts {
  private parents = new Uint32Array(2 ** 12);
  private depths = new Uint8Array(2 ** 12);
  private begins = new Uint8Array(2 ** 12);
  private occurrences = new Uint32Array(2 ** 12);
  private continuations = new Uint32Array(2 ** 12);
  private size = 1;

  create(node: number, parent: number, beginsText: boolean): void {
    if (node >= this.parents.length) this.grow();
    this.parents[node] = parent;
    this.depths[node] = this.depths[parent]! + 1;
    this.begins[node] = beginsText ? 1 : 0;
    this.size = node + 1;
  }

  occurred(node: number): void {
    this.occurrences[node]!++;
  }

  continued(node: number): void {
    this.continuations[node]!++;
  }

  beginsText(node: number): boolean {
    return this.begins[node] === 1;
  }

  statistics(order: number): NodeStatistics {
    const { size, parents, depths, begins, occurrences, continuations } = this;
    const counts = new Uint32Array(size);
    // n₁ … n₄ by number of words.
    const ofCounts = Array.from({ length: order + 1 }, () => [0, 0, 0, 0, 0]);
    for (let node = 1; node < size; node++) {
      const count = depths[node] === order || begins[node] === 1 ? occurrences[node]! : continuations[node]!;
      counts[node] = count;
      if (count >= 1 && count <= 4) ofCounts[depths[node]!]![count]!++;
    }
    const discounts = ofCounts.map(discountsOf);
    const totals = new Float64Array(size);
    const gammas = new Float64Array(size);
    for (let node = 1; node < size; node++) {
      const parent = parents[node]!;
      totals[parent]! += counts[node]!;
      gammas[parent]! += discounts[depths[node]!]![Math.min(counts[node]!, 3)]!;
    }
    for (let node = 0; node < size; node++) if (totals[node]! > 0) gammas[node]! /= totals[node]!;
    return { counts, totals, gammas, discounts };
  }

  private grow(): void {
    const wider = <A extends Uint32Array | Uint8Array>(old: A): A => {
      const wide = new (old.constructor as new (length: number) => A)(2 * old.length);
      wide.set(old);
      return wide;
    };
    this.parents = wider(this.parents);
    this.depths = wider(this.depths);
    this.begins = wider(this.begins);
    this.occurrences = wider(this.occurrences);
    this.continuations = wider(this.continuations);
  }
}

/** What KenLM falls back to. */
const FALLBACK = [0, 0.5, 1, 1.5];

/** D(i) = i − (i + 1) Y n_{i+1}/n_i; the fallback where a count is missing or a discount does not lie above 0 and up to i. */
function discountsOf(n: readonly number[]): readonly number[] {
  const y = n[1]! / (n[1]! + 2 * n[2]!);
  const discounts = [0, ...[1, 2, 3].map((i) => i - ((i + 1) * y * n[i + 1]!) / n[i]!)];
  return discounts.every((discount, i) => i === 0 || (discount > 0 && discount <= i)) ? discounts : FALLBACK;
}
