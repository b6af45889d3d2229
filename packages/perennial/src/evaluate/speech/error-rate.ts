/**
 * Error rates of a corpus: Σ (S + D + I) / Σ reference units — a ratio of sums, never the mean of utterances' rates; it can exceed 1. If
 * every reference is empty the value is the number of insertions.
 *   word error rate         runs of whitespace become one space, ends trimmed, units split on " " only                  jiwer's defaults
 *   character error rate    ends trimmed, units are code points, inner spaces included
 * No case folding, no punctuation removal: normalize both sides beforehand and say how.
 */
import { FieldError } from "../../errors.ts";
import { collapseWhitespace, trim } from "../text/whitespace.ts";
import { editDistance } from "./edit-distance.ts";

export interface ErrorRate {
  readonly rate: number;
  /** Substitutions, deletions and insertions of each utterance; with `referenceUnits` the rows of a bootstrap. */
  readonly errors: readonly number[];
  readonly referenceUnits: readonly number[];
}

export function wordErrorRate(references: readonly string[], hypotheses: readonly string[]): ErrorRate {
  return errorRate(references.map(spacedWords), hypotheses.map(spacedWords));
}

export function characterErrorRate(references: readonly string[], hypotheses: readonly string[]): ErrorRate {
  const characters = (text: string) => [...trim(text)];
  return errorRate(references.map(characters), hypotheses.map(characters));
}

const spacedWords = (text: string) =>
  trim(collapseWhitespace(text))
    .split(" ")
    .filter((word) => word !== "");

/** Over any units: token ids, phonemes … */
export function errorRate<Unit>(references: readonly (readonly Unit[])[], hypotheses: readonly (readonly Unit[])[]): ErrorRate {
  if (references.length !== hypotheses.length)
    throw new FieldError("EVALUATE_SEGMENTS", {
      at: "hypotheses",
      expected: `one for each of ${references.length} references`,
      received: hypotheses.length,
    });
  const errors = references.map((reference, i) => editDistance(reference, hypotheses[i]!));
  const referenceUnits = references.map((reference) => reference.length);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return { rate: sum(errors) / (sum(referenceUnits) || 1), errors, referenceUnits };
}
