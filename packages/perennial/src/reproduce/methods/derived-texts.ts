/** Texts that a method needs and that are made from the real ones: small languages cut from large ones, sentence pairs from aligned pages. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { writeFileAtomic } from "../../corpus/formats/index.ts";
import { heldOutHash, heldOutLimitForShare } from "../../data/held-out.ts";
import type { CellContext } from "../reproduction.ts";
import { realText } from "../text.ts";

export interface Page {
  readonly id: string;
  readonly text: string;
}

export const pagesOf = (name: string): Page[] =>
  gunzipSync(readFileSync(realText(name).path))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Page);

/** The pages that `helpText` keeps from training. */
export const heldOutPages = (name: string, share = 0.1): Page[] =>
  pagesOf(name).filter(({ text }) => heldOutHash(text) < heldOutLimitForShare(share));

/** The others. */
export const trainingPages = (name: string, share = 0.1): Page[] =>
  pagesOf(name).filter(({ text }) => heldOutHash(text) >= heldOutLimitForShare(share));

/** Pages cut at line ends into pieces of about so many characters; what is left of a page goes when it is short. */
export function piecesOf(pages: readonly Page[], characters = 500): { text: string }[] {
  return pages.flatMap(({ text }) => {
    const pieces: { text: string }[] = [];
    let piece = "";
    for (const line of [...text.split("\n"), null]) {
      if (line !== null) piece += piece === "" ? line : `\n${line}`;
      if (piece.length < characters && line !== null) continue;
      if (piece.length >= characters / 4) pieces.push({ text: piece.slice(0, 2 * characters) });
      piece = "";
    }
    return pieces;
  });
}

/** Written once, whole or not at all; cells and reproductions share it. */
export function derivedText(context: CellContext, name: string, make: () => readonly object[]): string {
  const folder = join(context.sharedFolder, "texts");
  const path = join(folder, `${name}.jsonl`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  writeFileAtomic(
    path,
    make()
      .map((record) => `${JSON.stringify(record)}\n`)
      .join(""),
  );
  return path;
}

/** Of the held-out pages so many are measured: enough for an interval, few enough beside the training. */
const HELD_OUT_PAGES = 8;

/** Every fortieth page is held out, whatever the size of the training part: all sizes are measured on the same text. */
const isHeldOut = (i: number) => i % 40 === 39;

/** The first pages of a text, up to `bytes`, and its held-out pages. */
export function partOfText(context: CellContext, name: string, bytes: number): { path: string; heldOut: { path: string } } {
  const path = derivedText(context, `${name}-${bytes}`, () => {
    const pages: Page[] = [];
    let taken = 0;
    for (const page of pagesOf(name).filter((_, i) => !isHeldOut(i))) {
      if (taken >= bytes) break;
      // The last page is cut, at the end of a line, so that sizes are what they say.
      const text = page.text.slice(0, Math.max(200, bytes - taken));
      pages.push({ id: page.id, text });
      taken += Buffer.byteLength(text);
    }
    return pages;
  });
  return {
    path,
    heldOut: {
      path: derivedText(context, `${name}-held-out`, () =>
        pagesOf(name)
          .filter((_, i) => isHeldOut(i))
          .slice(0, HELD_OUT_PAGES),
      ),
    },
  };
}

/** Pages that both languages have with the same number of lines; held-out pages of `name` are left out. */
export function alignedPages(name: string, other: string): { id: string; lines: readonly (readonly [string, string])[] }[] {
  const others = new Map(pagesOf(other).map(({ id, text }) => [id, text.split("\n")]));
  return pagesOf(name).flatMap(({ id, text }, i) => {
    const lines = text.split("\n");
    const translated = others.get(id);
    if (isHeldOut(i) || translated?.length !== lines.length) return [];
    return {
      id,
      lines: lines.map((line, k) => [line, translated[k]!] as const).filter(([a, b]) => a.trim() !== "" && b.trim() !== "" && a !== b),
    };
  });
}

/** A text with few held-out pages: many corpora and measurements would cost more than the training. They are among those of `helpText`. */
export const barelyHeldOut = (name: string) => ({ path: name, heldOut: { share: 0.01 } });

/** Measured before and after only, on few tokens: the cell's own measurement at the end decides. */
export const barelyMeasured = {
  evaluate: { everySteps: "never", maxTokensPerCorpus: 3000, bootstrapResamples: 0 },
  checkpoints: { everySteps: "never", keepLast: 1 },
} as const;
