/**
 * n-gram language model, interpolated modified Kneser–Ney (Chen & Goodman 1998; what KenLM estimates):
 *   p_k(w | h) = max(c(hw) − D_k(c(hw)), 0)/c(h·) + γ(h) · p_{k−1}(w | h without its first word)         k = 1 … n words with w
 *   γ(h) = (D_k(1) N₁(h·) + D_k(2) N₂(h·) + D_k(3) N₃₊(h·))/c(h·)          p₀ = 1/V, V word types and one for unknown words
 *   c: of the longest n-grams, and of those at the beginning of a text, how often; of shorter ones, after how many different words
 *   D_k(1) = 1 − 2Y n₂/n₁, D_k(2) = 2 − 3Y n₃/n₂, D_k(3) = 3 − 4Y n₄/n₃, Y = n₁/(n₁ + 2 n₂); n_i: n-grams of k words with c = i
 * Words are runs of letters, digits and marks, or single other characters; or bytes. A text begins with a mark of its own; its end is not
 * predicted. One number a node and word in the tables: about 40 bytes an n-gram.
 * Where a text is too small for the discounts of some k, those are 1/2, 1 and 3/2.
 */
import { FieldError } from "../../errors.ts";
import { NodeCounts, type NodeStatistics } from "./node-counts.ts";
import { PairTable } from "./pair-table.ts";

export interface NgramOptions {
  /** n. */
  readonly order: number;
  readonly unit: "word" | "byte";
}

const ROOT = 0;
/** Stands before the first word of a text; its node is the first one. */
const BEGIN = 0;
const BEGIN_NODE = 1;
const UNKNOWN = 2 ** 21 - 1;
const WORD = /[\p{L}\p{N}\p{M}]+|[^\s]/gu;

export class NgramModel {
  private readonly order: number;
  private readonly unit: NgramOptions["unit"];
  private readonly words = new Map<string, number>();
  /** (node of h, w) → node of hw. */
  private readonly children = new PairTable();
  private readonly nodes = new NodeCounts();
  private statistics: NodeStatistics | undefined;

  constructor({ order, unit }: NgramOptions) {
    if (!Number.isInteger(order) || order < 1 || order > 16)
      throw new FieldError("NGRAM_ORDER", { at: "order", expected: "a whole number from 1 to 16", received: order });
    this.order = order;
    this.unit = unit;
    this.nodes.create(this.children.add(ROOT, BEGIN), ROOT, true);
  }

  /** Counts a text. */
  add(text: string): void {
    this.statistics = undefined;
    let history = this.beginning();
    for (const part of this.parts(text)) {
      let word = this.words.get(part);
      if (word === undefined) {
        word = this.words.size + 1;
        this.words.set(part, word);
      }
      history = this.count(history, word);
    }
  }

  /** exp of the mean negative log-probability of a word; NaN of a text without words. */
  perplexity(text: string): number {
    const { logProbability, words } = this.score(text);
    return Math.exp(-logProbability / words);
  }

  /** Nats over all words of a text. */
  score(text: string): { readonly logProbability: number; readonly words: number } {
    let history = this.beginning();
    let [logProbability, words] = [0, 0];
    for (const part of this.parts(text)) {
      const word = this.words.get(part) ?? UNKNOWN;
      logProbability += Math.log(this.probability(history, word));
      words++;
      history = this.extend(history, word);
    }
    return { logProbability, words };
  }

  /** p(word | the words before it, which do not begin a text). */
  conditional(before: readonly string[], word: string): number {
    const known = (part: string) => this.words.get(part) ?? UNKNOWN;
    const history = before.map(known).reduce((nodes, part) => this.extend(nodes, part), [ROOT]);
    return this.probability(history, known(word));
  }

  /** Nodes of the last 0, 1, … words, as far as they were counted. */
  private beginning(): number[] {
    return this.order === 1 ? [ROOT] : [ROOT, BEGIN_NODE];
  }

  private count(history: readonly number[], word: number): number[] {
    const { children, nodes } = this;
    const next: number[] = [ROOT];
    for (const [k, node] of history.slice(0, this.order).entries()) {
      const before = children.size;
      const child = children.add(node, word);
      if (children.size > before) {
        nodes.create(child, node, nodes.beginsText(node));
        // Without its first word it is in `next` already, and was now seen after one more word.
        if (k > 0) nodes.continued(next[k]!);
      }
      nodes.occurred(child);
      next.push(child);
    }
    return next;
  }

  private extend(history: readonly number[], word: number): number[] {
    const next = [ROOT];
    for (const node of history.slice(0, this.order - 1)) {
      const child = this.children.get(node, word);
      if (child === 0) break;
      next.push(child);
    }
    return next;
  }

  private probability(history: readonly number[], word: number): number {
    this.statistics ??= this.nodes.statistics(this.order);
    const { counts, totals, gammas, discounts } = this.statistics;
    let p = 1 / (this.words.size + 1);
    for (const [k, node] of history.slice(0, this.order).entries()) {
      const total = totals[node]!;
      if (total === 0) break;
      const child = this.children.get(node, word);
      const count = child === 0 ? 0 : counts[child]!;
      p = Math.max(0, count - discounts[k + 1]![Math.min(count, 3)]!) / total + gammas[node]! * p;
    }
    return p;
  }

  private parts(text: string): Iterable<string> {
    return this.unit === "byte" ? Array.from(Buffer.from(text), String) : (text.match(WORD) ?? []);
  }
}
