/**
 * `numpy.random.default_rng(seed)`, draw for draw, so that resampling tests repeat numbers made with NumPy.
 *   state ← state · M + inc (mod 2¹²⁸)                                            PCG64: O'Neill, "PCG", 2014, variant XSL-RR 128/64
 *   output = rotateRight(high64(state) XOR low64(state), state >> 122)
 * Seeding is NumPy's `SeedSequence`; bounded integers below 2³² are Lemire's multiply-and-reject on 32-bit halves, low half first.
 * The 128-bit state is eight 16-bit limbs, lowest first: products of limbs and their sums are exact in a double.
 */
const LIMBS = 8;
const MULTIPLIER = limbsOf(0x2360ed051fc65da44385df649fccf645n);

export class NumpyRandom {
  private readonly state = new Uint32Array(LIMBS);
  private readonly product = new Uint32Array(LIMBS);
  private readonly increment: Uint32Array;
  /** The high half of a 64-bit output whose low half was handed out; −1 when there is none. */
  private spare = -1;
  private bits = 0;
  private bitsLeft = 0;

  /** `seed`: an integer from 0 to 2⁵³ − 1. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`NumpyRandom: expected a seed from 0 to 2^53 - 1, received ${seed}`);
    const [stateHigh, stateLow, sequenceHigh, sequenceLow] = seedSequence(seed) as [bigint, bigint, bigint, bigint];
    this.increment = limbsOf((((sequenceHigh << 64n) | sequenceLow) << 1n) | 1n);
    this.step();
    addInto(this.state, limbsOf((stateHigh << 64n) | stateLow));
    this.step();
  }

  /** An integer, uniform on [0, 2³²): the low half of a 64-bit output, then its high half. */
  uint32(): number {
    if (this.spare >= 0) {
      const word = this.spare;
      this.spare = -1;
      return word;
    }
    this.step();
    const s = this.state;
    const low = (s[0]! | (s[1]! << 16)) ^ (s[4]! | (s[5]! << 16));
    const high = (s[2]! | (s[3]! << 16)) ^ (s[6]! | (s[7]! << 16));
    const rotation = s[7]! >>> 10;
    const [a, b] = rotation < 32 ? [low, high] : [high, low];
    const shift = rotation % 32;
    this.spare = shift === 0 ? b >>> 0 : ((b >>> shift) | (a << (32 - shift))) >>> 0;
    return shift === 0 ? a >>> 0 : ((a >>> shift) | (b << (32 - shift))) >>> 0;
  }

  /** An integer, uniform on [0, limit), as `choice(limit)` and `integers(limit)` draw it. `limit` from 1 to 2³² − 1. */
  integer(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit >= 2 ** 32)
      throw new RangeError(`NumpyRandom.integer: expected a limit from 1 to 2^32 - 1, received ${limit}`);
    if (limit === 1) return 0;
    for (;;) {
      const word = this.uint32();
      // word · limit = high · 2³² + low, in two exact products; `&` and `>>>` are modulo 2³², whatever the size of a number
      const upper = (word >>> 16) * limit; // < 2⁴⁸
      const rest = (upper & 0xffff) * 0x10000 + (word & 0xffff) * limit; // < 2⁴⁹
      const low = rest >>> 0;
      if (low >= limit || low >= (2 ** 32 - limit) % limit) return Math.floor(upper / 0x10000) + (rest - low) / 2 ** 32;
    }
  }

  /** A fair coin, as `integers(0, 2, dtype=bool)` draws it within one call: 32 coins a word. */
  boolean(): boolean {
    if (this.bitsLeft === 0) [this.bits, this.bitsLeft] = [this.uint32(), 32];
    const bit = this.bits & 1;
    this.bits >>>= 1;
    this.bitsLeft--;
    return bit === 1;
  }

  private step(): void {
    const { state, increment, product } = this;
    let carry = 0;
    for (let k = 0; k < LIMBS; k++) {
      let sum = carry + increment[k]!; // stays below 2³⁶
      for (let i = 0; i <= k; i++) sum += state[i]! * MULTIPLIER[k - i]!;
      const limb = sum & 0xffff;
      product[k] = limb;
      carry = (sum - limb) / 0x10000;
    }
    state.set(product);
  }
}

function limbsOf(value: bigint): Uint32Array {
  return Uint32Array.from({ length: LIMBS }, (_, k) => Number((value >> BigInt(16 * k)) & 0xffffn));
}

function addInto(target: Uint32Array, addend: Uint32Array): void {
  let carry = 0;
  for (let k = 0; k < LIMBS; k++) {
    const sum = target[k]! + addend[k]! + carry;
    target[k] = sum & 0xffff;
    carry = sum >>> 16;
  }
}

/** `SeedSequence(seed).generate_state(4, uint64)`. */
function seedSequence(seed: number): bigint[] {
  const entropy = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
  let hashConstant = 0x43b0d7e5;
  const hash = (word: number, multiplier: number) => {
    const mixed = word ^ hashConstant;
    hashConstant = Math.imul(hashConstant, multiplier);
    const product = Math.imul(mixed, hashConstant);
    return (product ^ (product >>> 16)) >>> 0;
  };
  const mix = (x: number, y: number) => {
    const result = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) | 0;
    return (result ^ (result >>> 16)) >>> 0;
  };
  const pool = Array.from({ length: 4 }, (_, i) => hash(entropy[i] ?? 0, 0x931e8875));
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to]!, hash(pool[from]!, 0x931e8875));
  hashConstant = 0x8b51f9dd;
  const output = Array.from({ length: 8 }, (_, i) => BigInt(hash(pool[i % 4]!, 0x58f38ded)));
  return [0, 2, 4, 6].map((i) => output[i]! | (output[i + 1]! << 32n));
}
