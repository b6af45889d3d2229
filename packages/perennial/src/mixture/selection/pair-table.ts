/** Exact map from pairs (parent < 2³², word < 2²¹) to the numbers 1, 2, … in the order of insertion: open addressing over float64 keys. */
export class PairTable {
  private keys = new Float64Array(2 ** 16);
  private values = new Uint32Array(2 ** 16);
  /** Pairs held. */
  size = 0;

  /** The number of a pair; 0: not there. */
  get(parent: number, word: number): number {
    const key = keyOf(parent, word);
    return this.values[this.slotOf(key)]!;
  }

  /** The number of a pair, which is `size` afterwards if it is new. */
  add(parent: number, word: number): number {
    const key = keyOf(parent, word);
    let slot = this.slotOf(key);
    if (this.values[slot]! > 0) return this.values[slot]!;
    if (2 * this.size >= this.keys.length) {
      this.grow();
      slot = this.slotOf(key);
    }
    this.keys[slot] = key;
    this.values[slot] = ++this.size;
    return this.size;
  }

  private slotOf(key: number): number {
    const { keys, values } = this;
    const mask = keys.length - 1;
    let slot = (Math.imul(key | 0, 0x9e3779b1) ^ Math.imul(Math.floor(key / 2 ** 32) + 0x7f4a7c15, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (values[slot]! > 0 && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Float64Array(2 * keys.length);
    this.values = new Uint32Array(2 * keys.length);
    for (const [i, value] of values.entries()) {
      if (value === 0) continue;
      const slot = this.slotOf(keys[i]!);
      this.keys[slot] = keys[i]!;
      this.values[slot] = value;
    }
  }
}

const WORDS = 2 ** 21;
const keyOf = (parent: number, word: number) => parent * WORDS + word;
