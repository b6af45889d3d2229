/**
 * The corpus stage's part of the native addon (`native/corpus/`): hashing, record sorting and fastText inference.
 * Each function has a plain form or a reference beside its caller; this file only says what crosses the border.
 */
import { native } from "../native.ts";

declare const handle: unique symbol;
/** An object that lives in C++ and is freed with its last reference. */
export interface NativeHandle<Kind extends string> {
  readonly [handle]: Kind;
}

export interface CorpusNative {
  openFastText(path: string): NativeHandle<"fastText">;
  /** Without their prefix, one per line. */
  fastTextLabels(model: NativeHandle<"fastText">): string;
  /** How many labels were written, best first. */
  fastTextPredict(model: NativeHandle<"fastText">, text: string, threshold: number, labels: Int32Array, scores: Float32Array): number;
  createFold(entries: Uint32Array, pool: string): NativeHandle<"fold">;
  foldWords(fold: NativeHandle<"fold">, text: string): string;
  createMinHash(shingleSize: number, numBands: number, hashesPerBand: number, seed: number, hashBits: number): NativeHandle<"minHash">;
  minHashSignature(
    minHash: NativeHandle<"minHash">,
    fold: NativeHandle<"fold">,
    text: string,
    folding: boolean,
    out: BigUint64Array,
  ): number;
  minHashBandKeys(
    minHash: NativeHandle<"minHash">,
    fold: NativeHandle<"fold">,
    text: string,
    folding: boolean,
    nameSpace: string,
    out: BigUint64Array,
  ): number;
  contentKey(text: string, nameSpace: string, out: BigUint64Array): number;
  sortRecords(records: BigUint64Array, count: number, wordsPerRecord: number): number;
  /** [records written, pairs written] */
  mergeRecordRuns(
    runs: readonly (readonly [path: string, offset: number, bytes: number])[],
    wordsPerRecord: number,
    bufferBytes: number,
    outputPath: string,
    pairsPath: string,
    unique: boolean,
  ): Float64Array;
}

export const corpusNative = (): CorpusNative => native<CorpusNative>();
