/** How documents are compared: by their whole content, or by MinHash. Either way a document gives some 128-bit keys, and documents that
 * share a key are duplicates; the stages after that know nothing of the method. */
import { z } from "zod";
import { corpusNative } from "../native.ts";
import { MinHasher, minHashSchema, type TextOfScript } from "./minhash.ts";

export const exactSchema = z.strictObject({ method: z.literal("exact").describe("the same text, byte by byte") });
export const duplicateSchema = z.discriminatedUnion("method", [minHashSchema, exactSchema]);
export type DuplicateSettings = z.output<typeof duplicateSchema>;

export interface Sketcher {
  /** Keys of a document; key number `band` is compared with key number `band` of others only. */
  readonly numBands: number;
  /** Writes [numBands, 2] words into `out`. False: this document can be nobody's duplicate, nothing was written. */
  keys(document: TextOfScript, nameSpace: string, out: BigUint64Array): boolean;
}

export function sketcher(settings: DuplicateSettings): Sketcher {
  if (settings.method === "exact") {
    const native = corpusNative();
    return { numBands: 1, keys: ({ text }, nameSpace, out) => native.contentKey(text, nameSpace, out) > 0 };
  }
  const hasher = new MinHasher(settings);
  return { numBands: settings.numBands, keys: (document, nameSpace, out) => hasher.keys(document, nameSpace, out) > 0 };
}
