/**
 * Finds any of many strings in one pass over a text (Aho & Corasick 1975). Transitions are over UTF-16 units: each node keeps a
 * map of its children and a link to the longest proper suffix that is also in the trie.
 */
export class AhoCorasick {
  private readonly children: Map<number, number>[] = [new Map()];
  private readonly links: number[] = [0];
  /** Pattern that ends at a node, or at the nearest of its suffixes where one does. */
  private readonly found: (string | undefined)[] = [undefined];

  /** Empty patterns are ignored: they would be found everywhere. */
  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) if (pattern !== "") this.insert(pattern);
    this.link();
  }

  /** The pattern whose end comes first, or undefined. */
  first(text: string): string | undefined {
    for (const pattern of this.all(text)) return pattern;
    return undefined;
  }

  /** At every position, the longest pattern that ends there. */
  *all(text: string): Generator<string> {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let next = this.children[node]!.get(unit);
      while (next === undefined && node !== 0) {
        node = this.links[node]!;
        next = this.children[node]!.get(unit);
      }
      node = next ?? 0;
      const pattern = this.found[node];
      if (pattern !== undefined) yield pattern;
    }
  }

  private insert(pattern: string): void {
    let node = 0;
    for (let i = 0; i < pattern.length; i++) {
      const unit = pattern.charCodeAt(i);
      let next = this.children[node]!.get(unit);
      if (next === undefined) {
        next = this.children.push(new Map()) - 1;
        this.links.push(0);
        this.found.push(undefined);
        this.children[node]!.set(unit, next);
      }
      node = next;
    }
    this.found[node] = pattern;
  }

  private link(): void {
    const queue = [...this.children[0]!.values()];
    for (let head = 0; head < queue.length; head++) {
      const node = queue[head]!;
      for (const [unit, child] of this.children[node]!) {
        let suffix = this.links[node]!;
        while (suffix !== 0 && !this.children[suffix]!.has(unit)) suffix = this.links[suffix]!;
        this.links[child] = this.children[suffix]!.get(unit) ?? 0;
        this.found[child] ??= this.found[this.links[child]!];
        queue.push(child);
      }
    }
  }
}
