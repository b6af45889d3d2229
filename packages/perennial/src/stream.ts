/**
 * Named, seeded streams of random numbers. A stream is a function of (seed, name): adding another stream elsewhere
 * never changes it, and its state is four 32-bit words of plain JSON.
 *
 * Generator: xoshiro128** (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2018), seeded by
 * SplitMix-style mixing of an FNV-1a hash of the name with the seed.
 */
export interface StreamState {
  readonly words: readonly [number, number, number, number];
}

export class Stream {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(state: StreamState) {
    [this.a, this.b, this.c, this.d] = state.words as [number, number, number, number];
  }

  /** An integer, uniform on [0, 2³²). */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.b, 5), 7), 9) >>> 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = rotateLeft(this.d, 11);
    return result;
  }

  /** A number, uniform on [0, 1), with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** An integer, uniform on [0, limit), without modulo bias. `limit` from 1 to 2⁵³. */
  integer(limit: number): number {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new RangeError(`Stream.integer: expected a limit from 1 to 2^53, received ${limit}`);
    if (limit <= 2 ** 32) {
      const bound = 2 ** 32 - (2 ** 32 % limit);
      for (;;) {
        const word = this.uint32();
        if (word < bound) return word % limit;
      }
    }
    const bound = 2 ** 53 - (2 ** 53 % limit);
    for (;;) {
      const word = (this.uint32() >>> 11) * 2 ** 32 + this.uint32();
      if (word < bound) return word % limit;
    }
  }

  /** A standard normal number (Box–Muller; each call consumes the same amount of the stream). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }

  state(): StreamState {
    return { words: [this.a >>> 0, this.b >>> 0, this.c >>> 0, this.d >>> 0] };
  }

  restore(state: StreamState): void {
    [this.a, this.b, this.c, this.d] = state.words as [number, number, number, number];
  }
}

/** The stream `name` of `seed`. The same pair gives the same numbers on every machine. */
export function stream(seed: number, name: string): Stream {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  let counter = (hash ^ Math.imul(seed >>> 0, 0x9e3779b1) ^ Math.imul(Math.floor(seed / 2 ** 32) >>> 0, 0x85ebca77)) >>> 0;
  const word = () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let z = counter;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  const words: [number, number, number, number] = [word(), word(), word(), word()];
  if (words.every((w) => w === 0)) words[0] = 1;
  return new Stream({ words });
}

const rotateLeft = (word: number, bits: number) => ((word << bits) | (word >>> (32 - bits))) >>> 0;
