/** What the parallel formats share: aligned text in, one training document out. */
import { FieldError } from "../../errors.ts";
import type { Stream } from "../../stream.ts";

export interface ParallelSide {
  /** The language's name as it is written into the text, e.g. `German`; one fixed name per language. */
  readonly language: string;
  /** Aligned with the other side's segments: sentences, or paragraphs. */
  readonly segments: readonly string[];
}

export interface ParallelDocument {
  readonly source: ParallelSide;
  readonly target: ParallelSide;
}

/** One document's text. Random choices come from `random` and nowhere else. */
export type ParallelFormat = (document: ParallelDocument, random: Stream) => string;

/** Throws unless both sides have the same, positive number of non-empty segments without line breaks. */
export function checkAligned({ source, target }: ParallelDocument): void {
  if (source.segments.length !== target.segments.length || source.segments.length === 0)
    throw new FieldError("PARALLEL_ALIGNMENT", {
      at: `${source.language}–${target.language} document`,
      expected: "the same number of segments on both sides, at least one",
      received: [source.segments.length, target.segments.length],
    });
  for (const side of [source, target])
    side.segments.forEach((segment, i) => {
      if (segment.trim() === "" || /[\r\n]/.test(segment))
        throw new FieldError("PARALLEL_SEGMENT", {
          at: `${side.language} segment ${i}`,
          expected: "text on one line",
          received: segment,
          todo: "join the lines of a segment, or split it into segments",
        });
    });
}

export const swapped = ({ source, target }: ParallelDocument): ParallelDocument => ({ source: target, target: source });

/** Either direction with equal chance. Swaps once: texts and language names stay together. */
export const eitherDirection = (document: ParallelDocument, random: Stream): ParallelDocument =>
  random.uniform() < 0.5 ? document : swapped(document);
