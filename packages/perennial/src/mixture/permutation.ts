import { stream } from "../stream.ts";

const DOUBLE_ROUNDS = 4;

/**
 * A keyed permutation of 0 … size−1 that needs no memory: `at(i)` is O(1) for any i, so a shuffled pass can be entered anywhere.
 *
 * Unbalanced Feistel network on k = ⌈log₂ size⌉ bits, split in a left and a right part:
 *   left ^= F₂ᵣ(right), right ^= F₂ᵣ₊₁(left)          r = 0 … 3, each step its own inverse
 * Results outside 0 … size−1 are put in again ("cycle walking", at most 2 rounds on average because 2^k < 2·size), which keeps it a
 * bijection. F is a 32-bit mixing hash under keys from the stream (seed, name). size: an integer from 1 to 2⁵².
 * Source: Luby & Rackoff 1988; Black & Rogaway, "Ciphers with arbitrary finite domains", 2002.
 */
export class Permutation {
  readonly size: number;
  private readonly rightSize: number;
  private readonly leftMask: number;
  private readonly rightMask: number;
  private readonly keys: Uint32Array;

  constructor(size: number, seed: number, name: string) {
    if (!(Number.isSafeInteger(size) && size >= 1 && size <= 2 ** 52))
      throw new RangeError(`Permutation: expected a size from 1 to 2^52, received ${size}`);
    this.size = size;
    let bits = 0;
    while (2 ** bits < size) bits++;
    const rightBits = bits >> 1;
    this.rightSize = 2 ** rightBits;
    this.rightMask = this.rightSize - 1;
    this.leftMask = 2 ** (bits - rightBits) - 1;
    const random = stream(seed, name);
    this.keys = Uint32Array.from({ length: 2 * DOUBLE_ROUNDS }, () => random.uint32());
  }

  at(index: number): number {
    let value = index;
    do {
      let left = Math.floor(value / this.rightSize);
      let right = value % this.rightSize;
      for (let round = 0; round < 2 * DOUBLE_ROUNDS; round += 2) {
        left = (left ^ (mix(right, this.keys[round]!) & this.leftMask)) >>> 0;
        right = (right ^ (mix(left, this.keys[round + 1]!) & this.rightMask)) >>> 0;
      }
      value = left * this.rightSize + right;
    } while (value >= this.size);
    return value;
  }
}

/** The finalizer of MurmurHash3 on value + key. */
function mix(value: number, key: number): number {
  let z = (value + key) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
