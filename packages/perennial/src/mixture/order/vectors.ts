/**
 * Document vectors without a model: hashed character n-grams, TF-IDF, a sparse random projection, eight bits a number.
 *    weight(g, d) = (1 + ln tf) · ln((1 + n)/(1 + df))           g: bucket of a character 3-, 4- or 5-gram, tf and df counted in buckets
 *    v_d = Σ_g weight(g, d)·P_g,   P_g: 8 entries ±1 of D, chosen by the bucket's hash      stored: round(127·v/max|v|)
 *  n documents · D dimensions. Cosine is unchanged by the scale of a vector, so no scale is stored: D bytes a document.
 *  Characters, not words, so that every script works; deterministic: no seed, no order of documents matters.
 *  Our choice (the paper's encoder is Contriever); any other vectors can be put into a `VectorMatrix`. Projection:
 *  Kane & Nelson 2014, "Sparser Johnson–Lindenstrauss transforms".
 */
import { FieldError } from "../../errors.ts";

/** Row-major [n, D]. A document whose row is all zero has no neighbors. */
export interface VectorMatrix {
  readonly dimensions: number;
  readonly data: Int8Array;
}

export interface TfidfOptions {
  readonly dimensions?: number;
  /** Hash buckets; a power of two. */
  readonly buckets?: number;
  /** Only the head of a long document is read. */
  readonly maxCharacters?: number;
}

const MIN_GRAM = 3;
const MAX_GRAM = 5;
const ENTRIES = 8;

/** Reads `documents` twice: once for document frequencies, once for the vectors. */
export function tfidfVectors(documents: Iterable<string>, options: TfidfOptions = {}): VectorMatrix {
  const { dimensions = 256, buckets = 2 ** 15, maxCharacters = 20_000 } = options;
  const counter = new GramCounter(buckets, maxCharacters);
  const frequency = new Uint32Array(buckets);
  let count = 0;
  for (const text of documents) {
    count++;
    for (const bucket of counter.count(text)) frequency[bucket]!++;
  }
  const inverse = Float64Array.from(frequency, (df) => Math.log((1 + count) / (1 + df)));
  const data = new Int8Array(count * dimensions);
  const vector = new Float64Array(dimensions);
  let row = 0;
  for (const text of documents) {
    vector.fill(0);
    for (const bucket of counter.count(text)) project(bucket, (1 + Math.log(counter.times[bucket]!)) * inverse[bucket]!, vector);
    quantize(vector, data, row++ * dimensions);
  }
  return { dimensions, data };
}

/** Eight-bit rows from any real vectors, e.g. mean hidden states of a model. [n, D] row-major. */
export function quantizedVectors(values: Float32Array, dimensions: number): VectorMatrix {
  if (values.length % dimensions !== 0)
    throw new FieldError("ORDER_VECTORS", { at: "values", expected: `a multiple of ${dimensions} numbers`, received: values.length });
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new FieldError("ORDER_VECTORS", {
      at: `values of document ${Math.floor(bad / dimensions)}`,
      expected: "finite numbers",
      received: String(values[bad]),
    });
  const data = new Int8Array(values.length);
  for (let at = 0; at < values.length; at += dimensions) quantize(values.subarray(at, at + dimensions), data, at);
  return { dimensions, data };
}

/** Scales a vector to ±127 and writes it at `at`; one of zeros stays as it was. */
export function quantize(vector: Float64Array | Float32Array, data: Int8Array, at: number): void {
  let max = 0;
  for (const value of vector) max = Math.max(max, Math.abs(value));
  if (max > 0) for (let i = 0; i < vector.length; i++) data[at + i] = Math.round((127 * vector[i]!) / max);
}

/** The rows of these numbers, in their order: a copy. */
export function selectRows({ data, dimensions }: VectorMatrix, rows: ArrayLike<number>): VectorMatrix {
  const chosen = new Int8Array(rows.length * dimensions);
  for (let i = 0; i < rows.length; i++) chosen.set(data.subarray(rows[i]! * dimensions, (rows[i]! + 1) * dimensions), i * dimensions);
  return { dimensions, data: chosen };
}

/** Adds weight·P_bucket. The same bucket always meets the same entries. */
function project(bucket: number, weight: number, vector: Float64Array): void {
  let hash = mix(bucket + 1);
  for (let entry = 0; entry < ENTRIES; entry++) {
    vector[(hash >>> 1) % vector.length]! += hash & 1 ? weight : -weight;
    hash = mix(hash + 0x9e3779b9);
  }
}

/** Counts the n-grams of one text at a time in reused arrays. */
class GramCounter {
  readonly times: Uint16Array;
  private readonly seen: Uint32Array;
  private readonly mask: number;
  private readonly maxCharacters: number;
  private numSeen = 0;

  constructor(buckets: number, maxCharacters: number) {
    if (buckets < 2 || (buckets & (buckets - 1)) !== 0)
      throw new FieldError("ORDER_VECTORS", { at: "buckets", expected: "a power of two", received: buckets });
    this.times = new Uint16Array(buckets);
    this.seen = new Uint32Array(buckets);
    this.mask = buckets - 1;
    this.maxCharacters = maxCharacters;
  }

  /** The buckets that occur; their counts are in `times` until the next call. */
  count(text: string): Uint32Array {
    for (let i = 0; i < this.numSeen; i++) this.times[this.seen[i]!] = 0;
    this.numSeen = 0;
    const characters = ` ${text.slice(0, this.maxCharacters).toLowerCase().replace(/\s+/gu, " ").trim()} `;
    for (let start = 0; start + MIN_GRAM <= characters.length; start++) {
      let hash = 0x811c9dc5;
      const end = Math.min(start + MAX_GRAM, characters.length);
      for (let i = start; i < end; i++) {
        hash = Math.imul(hash ^ characters.charCodeAt(i), 0x01000193);
        if (i - start + 1 >= MIN_GRAM) this.add(mix(hash) & this.mask);
      }
    }
    return this.seen.subarray(0, this.numSeen);
  }

  private add(bucket: number): void {
    if (this.times[bucket] === 0) this.seen[this.numSeen++] = bucket;
    if (this.times[bucket]! < 0xffff) this.times[bucket]!++;
  }
}

/** A bijection of 32-bit words whose low bits depend on all bits. */
function mix(word: number): number {
  let z = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** Cosine of two rows; 0 where one is all zero. */
export function vectorCosine({ dimensions, data }: VectorMatrix, a: number, b: number): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0, p = a * dimensions, q = b * dimensions; i < dimensions; i++, p++, q++) {
    ab += data[p]! * data[q]!;
    aa += data[p]! * data[p]!;
    bb += data[q]! * data[q]!;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}
