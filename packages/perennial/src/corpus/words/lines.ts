/**
 * The reference filters know three kinds of line and one of paragraph. They are not the same and must not be unified:
 *
 *                 separator                          blank lines            used by
 *   lineRuns      one or more \n                     an empty first or last Gopher repetition
 *   filledLines   \n                                 removed                FineWeb quality
 *   brokenLines   any Unicode line break, \r\n once  kept, not a last one   Gopher quality, C4 quality
 *   paragraphs    two or more \n, text trimmed first –                      Gopher repetition
 */
import { isBlank, trim } from "./whitespace.ts";

export const lineRuns = (text: string): string[] => text.split(/\n+/);

export const filledLines = (text: string): string[] => text.split("\n").filter((line) => !isBlank(line));

export const paragraphs = (text: string): string[] => trim(text).split(/\n{2,}/);

const RARE = "\r\v\f\x1c-\x1e\x85\u2028\u2029";
const RARE_BREAK = new RegExp(`[${RARE}]`);
const ANY_BREAK = new RegExp(`\r\n|[\n${RARE}]`);

export function brokenLines(text: string): string[] {
  if (text === "") return [];
  const lines = text.split(RARE_BREAK.test(text) ? ANY_BREAK : "\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
