/**
 * Bilingual layouts of aligned text.
 *    lines           per segment: `{A}: x` newline `{B}: y`, direction drawn for every pair; pairs follow each other line by line
 *    concatenation   all of one language, a blank line, all of the other; direction drawn once per document
 *    interlinear     x₁ newline y₁ newline x₂ newline y₂ …, direction drawn once per document
 *  `lines` is the layout of arXiv 2504.04152 (its text is not published: our choice); the other two are our choice.
 */
import { checkAligned, eitherDirection, type ParallelFormat } from "./parallel.ts";

export const bilingualLines: ParallelFormat = (document, random) => {
  checkAligned(document);
  const lines = document.source.segments.map((segment, i) => {
    const pair = {
      source: { ...document.source, segments: [segment] },
      target: { ...document.target, segments: [document.target.segments[i]!] },
    };
    const { source, target } = eitherDirection(pair, random);
    return `${source.language}: ${source.segments[0]!}\n${target.language}: ${target.segments[0]!}`;
  });
  return lines.join("\n");
};

export const concatenation: ParallelFormat = (document, random) => {
  checkAligned(document);
  const { source, target } = eitherDirection(document, random);
  return `${source.segments.join("\n")}\n\n${target.segments.join("\n")}`;
};

export const interlinear: ParallelFormat = (document, random) => {
  checkAligned(document);
  const { source, target } = eitherDirection(document, random);
  return source.segments.map((segment, i) => `${segment}\n${target.segments[i]!}`).join("\n");
};
