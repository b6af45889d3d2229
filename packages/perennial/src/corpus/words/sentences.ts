/** Sentences by Unicode Annex 29 and the CLDR rules of the language: trimmed, never blank. A line break ends a sentence. */
import { wordLocale } from "./fallback.ts";
import { segmentsOf } from "./segments.ts";
import { trim } from "./whitespace.ts";

const segmenters = new Map<string, Intl.Segmenter>();

/** `label`: language and script, e.g. `kab_Latn`. */
export function sentences(text: string, label: string): string[] {
  let segmenter = segmenters.get(label);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(wordLocale(label).locale, { granularity: "sentence" });
    segmenters.set(label, segmenter);
  }
  const found: string[] = [];
  for (const segment of segmentsOf(segmenter, text)) {
    const sentence = trim(segment);
    if (sentence !== "") found.push(sentence);
  }
  return found;
}
