/**
 * Repeated n-grams of words, exactly as Gopher's filter counts them, in linear time without building a string a gram:
 * grams are positions, found again through a rolling hash and then compared for real, so no hash collision can change a count.
 *
 * Hash of the concatenation of words i … i+n−1, whatever its division into words (mod 2³², B odd, so that it has an inverse):
 *   h(w) = Σ_k w[k] Bᵏ · prefix[i] = Σ_{j<i} h(w_j) B^{offset_j} · hash(i, n) = (prefix[i+n] − prefix[i]) · B^{−offset_i}
 */
const BASE = 0x01000193;
const INVERSE = inverse(BASE);

export class WordGrams {
  /** [words] number of the distinct word at each position. */
  readonly ids: Int32Array;
  /** [words + 1] code points of all words before a position. */
  private readonly offsets: Int32Array;
  private readonly prefix: Int32Array;
  private readonly unshift: Int32Array;
  private readonly words: readonly string[];

  /** `ids` as `distinct` numbers them; `lengths` [distinct] in code points. */
  constructor(words: readonly string[], ids: Int32Array, distinct: readonly string[], lengths: Int32Array) {
    this.words = words;
    this.ids = ids;
    const hashes = new Int32Array(distinct.length);
    const shifts = new Int32Array(distinct.length);
    const unshifts = new Int32Array(distinct.length);
    for (const [id, word] of distinct.entries()) {
      let hash = 0;
      let shift = 1;
      let unshift = 1;
      for (let k = 0; k < word.length; k++) {
        hash = (hash + Math.imul(word.charCodeAt(k), shift)) | 0;
        shift = Math.imul(shift, BASE);
        unshift = Math.imul(unshift, INVERSE);
      }
      hashes[id] = hash;
      shifts[id] = shift;
      unshifts[id] = unshift;
    }
    this.offsets = new Int32Array(words.length + 1);
    this.prefix = new Int32Array(words.length + 1);
    this.unshift = new Int32Array(words.length + 1);
    let shift = 1;
    this.unshift[0] = 1;
    for (let i = 0; i < words.length; i++) {
      const id = ids[i]!;
      this.offsets[i + 1] = this.offsets[i]! + lengths[id]!;
      this.prefix[i + 1] = this.prefix[i]! + Math.imul(hashes[id]!, shift);
      this.unshift[i + 1] = Math.imul(this.unshift[i]!, unshifts[id]!);
      shift = Math.imul(shift, shifts[id]!);
    }
  }

  /** (length of the most frequent n-gram, words joined by one space) × (its count); the first one wins a tie; 0 if there is none. */
  topCharacters(n: number): number {
    const grams = this.ids.length - n + 1;
    if (grams < 1) return 0;
    const counts = new Int32Array(grams);
    const table = hashTable(grams);
    for (let i = 0; i < grams; i++) {
      const first = this.find(table, i, n, sameIds);
      counts[first]!++;
    }
    let top = 0;
    for (let i = 1; i < grams; i++) if (counts[i]! > counts[top]!) top = i;
    return (this.offsets[top + n]! - this.offsets[top]! + n - 1) * counts[top]!;
  }

  /** Characters in n-grams (words joined by nothing) that were seen before; a repeated gram is skipped as a whole. */
  duplicateCharacters(n: number): number {
    const grams = this.ids.length - n + 1;
    if (grams < 1) return 0;
    const table = hashTable(grams);
    let characters = 0;
    for (let i = 0; i < grams; ) {
      if (this.find(table, i, n, sameText) === i) i++;
      else {
        characters += this.offsets[i + n]! - this.offsets[i]!;
        i += n;
      }
    }
    return characters;
  }

  /** First position of an equal gram; `i` itself, now remembered, when there is none. */
  private find(table: Int32Array, i: number, n: number, same: Same): number {
    const mask = table.length - 1;
    const hash = Math.imul((this.prefix[i + n]! - this.prefix[i]!) | 0, this.unshift[i]!);
    for (let slot = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> (Math.clz32(mask) as number); ; slot = (slot + 1) & mask) {
      const first = table[slot]! - 1;
      if (first === -1) {
        table[slot] = i + 1;
        return i;
      }
      if (same(this.words, this.ids, first, i, n)) return first;
    }
  }
}

type Same = (words: readonly string[], ids: Int32Array, i: number, j: number, n: number) => boolean;

const sameIds: Same = (_words, ids, i, j, n) => {
  for (let k = 0; k < n; k++) if (ids[i + k] !== ids[j + k]) return false;
  return true;
};

/** Equal when written together, though perhaps divided otherwise: "a bc" and "ab c". */
const sameText: Same = (words, ids, i, j, n) => {
  let a = 0;
  let b = 0;
  while (a < n && b < n && ids[i + a] === ids[j + b]) {
    a++;
    b++;
  }
  if (a === n) return true;
  return (
    words[i + a]!.charCodeAt(0) === words[j + b]!.charCodeAt(0) && words.slice(i + a, i + n).join("") === words.slice(j + b, j + n).join("")
  );
};

/** Open addressing, at most half full; a slot holds position + 1, 0 is empty. */
const hashTable = (entries: number): Int32Array => new Int32Array(1 << Math.max(4, 33 - Math.clz32(entries)));

/** Inverse of an odd number modulo 2³² (Newton's iteration doubles the correct bits). */
function inverse(odd: number): number {
  let x = odd;
  for (let bits = 3; bits < 32; bits *= 2) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}
