/**
 * `random.Random(seed)` of Python, draw for draw, so that few-shot examples and bootstrap resamples are those of lm-evaluation-harness.
 * Generator: Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), seeded by `init_by_array` with the 32-bit words of the seed.
 */
const N = 624;
const M = 397;

export class PythonRandom {
  private readonly state = new Uint32Array(N);
  private index = N;

  /** `seed`: an integer from 0 to 2⁵³ − 1. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`PythonRandom: expected a seed from 0 to 2^53 - 1, received ${seed}`);
    const high = Math.floor(seed / 2 ** 32);
    this.seedByArray(high === 0 ? [seed >>> 0] : [seed >>> 0, high]);
  }

  /** An integer, uniform on [0, 2³²). */
  uint32(): number {
    if (this.index === N) this.refill();
    let y = this.state[this.index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** `random()`: uniform on [0, 1), 53 bits. */
  random(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** `sample(items, count)`: without replacement, in the order drawn. */
  sample<T>(items: readonly T[], count: number): T[] {
    const total = items.length;
    if (!(count >= 0 && count <= total))
      throw new RangeError(`PythonRandom.sample: expected a count from 0 to ${total}, received ${count}`);
    // Python keeps a pool or a set of what is drawn, whichever it takes to be smaller; the draws differ.
    const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (total <= setSize) {
      const pool = [...items];
      return Array.from({ length: count }, (_, i) => {
        const j = this.below(total - i);
        const drawn = pool[j]!;
        pool[j] = pool[total - i - 1]!;
        return drawn;
      });
    }
    const drawn = new Set<number>();
    return Array.from({ length: count }, () => {
      let j = this.below(total);
      while (drawn.has(j)) j = this.below(total);
      drawn.add(j);
      return items[j]!;
    });
  }

  /** `choices(range(limit), k=…)`: fills `indices`, with replacement. */
  choices(indices: Uint32Array, limit: number): void {
    for (let i = 0; i < indices.length; i++) indices[i] = Math.floor(this.random() * limit);
  }

  /** `_randbelow`: uniform on [0, limit), limit up to 2³². */
  private below(limit: number): number {
    const bits = 32 - Math.clz32(limit);
    for (;;) {
      const word = this.uint32() >>> (32 - bits);
      if (word < limit) return word;
    }
  }

  private seedByArray(key: readonly number[]): void {
    const { state } = this;
    state[0] = 19650218;
    const mixed = (i: number) => state[i - 1]! ^ (state[i - 1]! >>> 30);
    for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, mixed(i)) + i;
    let i = 1;
    let j = 0;
    const next = () => {
      i++;
      if (i >= N) {
        state[0] = state[N - 1]!;
        i = 1;
      }
    };
    for (let k = Math.max(N, key.length); k > 0; k--) {
      state[i] = (state[i]! ^ Math.imul(mixed(i), 1664525)) + key[j]! + j;
      next();
      j = (j + 1) % key.length;
    }
    for (let k = N - 1; k > 0; k--) {
      state[i] = (state[i]! ^ Math.imul(mixed(i), 1566083941)) - i;
      next();
    }
    state[0] = 0x80000000;
  }

  private refill(): void {
    const { state } = this;
    for (let i = 0; i < N; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
      state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.index = 0;
  }
}
