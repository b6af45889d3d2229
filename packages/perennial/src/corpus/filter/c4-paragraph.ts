/** C4 paragraph (mC4): at least 3 lines, split on \n, of at least 200 characters. Source: Xue et al. 2021, arXiv 2010.11934. */
import { z } from "zod";
import { codePoints } from "../words/characters.ts";
import { defineFilter, drop, keep } from "./define.ts";

export const c4ParagraphSchema = z.strictObject({
  minParagraphs: z.int().positive().default(3),
  minParagraphLength: z.int().positive().default(200).describe("characters"),
});

export const c4Paragraph = defineFilter("c4-paragraph", c4ParagraphSchema, ({ minParagraphs, minParagraphLength }) => ({ text }) => {
  let paragraphs = 0;
  for (const line of text.split("\n")) {
    if (line.length >= minParagraphLength && codePoints(line) >= minParagraphLength) paragraphs++;
  }
  return paragraphs < minParagraphs ? drop("paragraphs-below-min", paragraphs, minParagraphs) : keep;
});
