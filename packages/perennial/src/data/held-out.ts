import { createHash } from "node:crypto";
import { findInputs, type InputFile, type ReadOptions, readRecords } from "../corpus/formats/index.ts";
import { FieldError } from "../errors.ts";

/** How much text is kept from training: a share of the documents, or about this many bytes of text. */
export type HeldOut = { readonly share: number } | { readonly bytes: number };

const HASH_VALUES = 2 ** 48;

/**
 * The number that decides whether a text is held out: 48 bits of its SHA-256. It depends on nothing but the text, so that the split is
 * the same whatever the order of the documents, and copies of one text are always on the same side.
 */
export const heldOutHash = (text: string): number => createHash("sha256").update(text).digest().readUIntBE(0, 6);

/** Texts with a hash below the limit are held out: a share s of all documents in expectation. */
export function heldOutLimitForShare(share: number): number {
  if (!(share > 0 && share < 1)) {
    throw new FieldError("HELD_OUT_SHARE", { at: "heldOut.share", expected: "a number above 0 and below 1", received: share });
  }
  return share * HASH_VALUES;
}

/** Texts with a hash below it are held out of these files. For a number of bytes they are all read. */
export async function findHeldOutLimit(heldOut: HeldOut, files: readonly InputFile[], options: ReadOptions): Promise<number> {
  if ("share" in heldOut) return heldOutLimitForShare(heldOut.share);
  const chosen = new HeldOutBytes(heldOut.bytes);
  for await (const { records } of readRecords(files, options))
    for (const record of records) if ("document" in record && record.document.text !== "") chosen.add(record.document.text);
  return chosen.limit();
}

/** Tells which texts tokenizing the same files with the same options holds out: for what else learns from them. */
export async function heldOutTest(
  paths: readonly string[],
  { heldOut, ...options }: { readonly heldOut: HeldOut; readonly textField?: string },
): Promise<(text: string) => boolean> {
  const limit = await findHeldOutLimit(heldOut, findInputs(paths), options);
  return (text) => heldOutHash(text) < limit;
}

/** The smallest limit under which at least `bytes` bytes of text are held out, from one pass over all texts. */
export class HeldOutBytes {
  private readonly bytes: number;
  private candidates: { hash: number; bytes: number }[] = [];
  private pruneAt = 1024;

  constructor(bytes: number) {
    if (!(bytes >= 1)) throw new FieldError("HELD_OUT_BYTES", { at: "heldOut.bytes", expected: "a number from 1", received: bytes });
    this.bytes = bytes;
  }

  add(text: string): void {
    this.candidates.push({ hash: heldOutHash(text), bytes: Buffer.byteLength(text) });
    if (this.candidates.length < this.pruneAt) return;
    this.prune();
    this.pruneAt = Math.max(1024, 2 * this.candidates.length);
  }

  limit(): number {
    this.prune();
    return (this.candidates.at(-1)?.hash ?? -1) + 1;
  }

  private prune(): void {
    this.candidates.sort((a, b) => a.hash - b.hash);
    let total = 0;
    const needed = this.candidates.findIndex((candidate) => {
      total += candidate.bytes;
      return total >= this.bytes;
    });
    if (needed !== -1) this.candidates.length = needed + 1;
  }
}
