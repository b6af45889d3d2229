/** A line of the decision record: a document that did not go on, without its text, with what decided. */
import type { Document, Json } from "../document.ts";

export interface DropReason {
  readonly [field: string]: Json;
  readonly reason: string;
}

/** As it is read back. */
export interface DropLine extends Omit<Document, "text"> {
  /** The beginning of the text. */
  readonly excerpt: string;
  readonly dropped: DropReason & { readonly step: string };
}

const EXCERPT_CHARACTERS = 300;

export function dropLine({ text, ...document }: Document, step: string, why: DropReason): DropLine {
  // Not inside of a surrogate pair.
  const end = text.codePointAt(EXCERPT_CHARACTERS - 1)! > 0xffff ? EXCERPT_CHARACTERS - 1 : EXCERPT_CHARACTERS;
  return { ...document, excerpt: text.slice(0, end), dropped: { step, ...why } };
}
