/**
 * `Intl.Segmenter` over a text of any length. Its time grows with the square of the text, so what is longer than a window is segmented
 * window by window, each beginning where the last whole segment of the one before ended. Only text with more than a window between
 * two spaces is touched by this; there a dictionary may decide otherwise near a seam, and a longer segment is cut.
 */
import { isHighSurrogate } from "./characters.ts";

const WINDOW_UNITS = 4096;

export function* segmentsOf(segmenter: Intl.Segmenter, text: string): Generator<string> {
  let start = 0;
  while (text.length - start > WINDOW_UNITS) {
    const end = start + WINDOW_UNITS - (isHighSurrogate(text.charCodeAt(start + WINDOW_UNITS - 1)) ? 1 : 0);
    const found = Array.from(segmenter.segment(text.slice(start, end)), ({ segment }) => segment);
    if (found.length > 1) found.pop(); // it may go on behind the window
    for (const segment of found) {
      yield segment;
      start += segment.length;
    }
  }
  for (const { segment } of segmenter.segment(start === 0 ? text : text.slice(start))) yield segment;
}
