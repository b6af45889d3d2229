/**
 * MinHash (FineWeb2 §4; HPLT v3 §4): the share of equal minima estimates the Jaccard similarity of two sets of shingles, and bands of
 * minima turn "similar" into "equal in at least one band", which sorting can find.
 *
 *   h = xxh64(shingle)                         shingle: `shingleSize` consecutive words joined by a space, UTF-8
 *   φ_i(h) = ((a_i·h + b_i) mod 2^64) mod (2^61 − 1)       the wrap at 2^64 is part of the definition
 *   s_i = min over shingles of φ_i(h)          i < numBands · hashesPerBand
 *   a_i ∈ [1, 2^61 − 1), b_i ∈ [0, 2^61 − 1)   numpy's RandomState(seed).randint, all a before all b
 *
 * With hashBits 32 the low half of φ_i(h) is taken. A band is `hashesPerBand` consecutive minima. Texts of fewer words than a shingle have no
 * signature and are nobody's duplicate. Signatures equal those of datatrove 0.10 for the same words (golden/minhash.json).
 */
import { z } from "zod";
import { corpusNative } from "../native.ts";
import { foldWordsPlain, wordFold } from "./normalize.ts";

export const minHashSchema = z.strictObject({
  method: z.literal("minhash"),
  shingleSize: z.int().min(1).max(100).default(5).describe("words in a shingle; 1 compares sets of words"),
  numBands: z.int().min(1).max(255).default(14).describe("bands of hashes; two texts are candidates when one band is equal"),
  hashesPerBand: z.int().min(1).max(255).default(8).describe("hashes that must all be equal inside a band"),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe("seed of the permutations; signatures of different seeds do not compare"),
  hashBits: z
    .union([z.literal(32), z.literal(64)])
    .default(64)
    .describe("bits of a hash"),
});
export type MinHashSettings = z.output<typeof minHashSchema>;

/** HPLT v3: sets of words, 17 bands of 15 hashes of 32 bits; half of the pairs of similarity 0.83 are found. */
export const hpltMinHash: MinHashSettings = { method: "minhash", shingleSize: 1, numBands: 17, hashesPerBand: 15, seed: 1, hashBits: 32 };

/** P(s) = 1 − (1 − s^r)^b: the probability that two texts of Jaccard similarity `similarity` share a band. */
export const candidateProbability = (
  similarity: number,
  { numBands, hashesPerBand }: Pick<MinHashSettings, "numBands" | "hashesPerBand">,
): number => 1 - (1 - similarity ** hashesPerBand) ** numBands;

/** (1/b)^(1/r): the similarity around which P rises. */
export const similarityThreshold = ({ numBands, hashesPerBand }: Pick<MinHashSettings, "numBands" | "hashesPerBand">): number =>
  (1 / numBands) ** (1 / hashesPerBand);

/** Scripts that do not put spaces between words; there the words of a text are found by `Intl.Segmenter`. */
const UNSPACED = new Set([
  "Hani",
  "Hans",
  "Hant",
  "Jpan",
  "Hira",
  "Kana",
  "Bopo",
  "Thai",
  "Laoo",
  "Khmr",
  "Mymr",
  "Tibt",
  "Lana",
  "Talu",
  "Tale",
]);

export interface TextOfScript {
  readonly text: string;
  readonly script?: string;
}

export class MinHasher {
  readonly settings: MinHashSettings;
  private readonly hasher;
  private readonly fold = wordFold();
  private readonly native = corpusNative();

  constructor(settings: MinHashSettings) {
    this.settings = settings;
    const { shingleSize, numBands, hashesPerBand, seed, hashBits } = settings;
    this.hasher = this.native.createMinHash(shingleSize, numBands, hashesPerBand, seed, hashBits);
  }

  /** [numBands · hashesPerBand] minima, or undefined when the text has no shingle. */
  signature(document: TextOfScript): BigUint64Array | undefined {
    const out = new BigUint64Array(this.settings.numBands * this.settings.hashesPerBand);
    const [text, folding] = hashable(document);
    return this.native.minHashSignature(this.hasher, this.fold, text, folding, out) > 0 ? out : undefined;
  }

  /**
   * Writes 128 bits per band into `out` [numBands, 2]; equal keys mean equal bands (a chance hit among 10^10 texts has odds of 10^−18).
   * Texts of different name spaces, such as languages, never share a key. Returns the number of shingles; 0: nothing written.
   */
  keys(document: TextOfScript, nameSpace: string, out: BigUint64Array): number {
    const [text, folding] = hashable(document);
    return this.native.minHashBandKeys(this.hasher, this.fold, text, folding, nameSpace, out);
  }
}

let segmenter: Intl.Segmenter | undefined;

function hashable({ text, script }: TextOfScript): [text: string, folding: boolean] {
  if (script === undefined || !UNSPACED.has(script)) return [text, true];
  segmenter ??= new Intl.Segmenter("und", { granularity: "word" });
  const words: string[] = [];
  for (const { segment } of segmenter.segment(foldWordsPlain(text))) if (segment !== " ") words.push(segment);
  return [words.join(" "), false];
}
