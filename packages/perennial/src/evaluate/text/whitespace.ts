/**
 * Whitespace, words and lengths as the Python reference tools count them. JavaScript's `\s` differs: it adds U+FEFF and lacks
 * U+001C–001F and U+0085. No Unicode normalization anywhere.
 */
const WHITESPACE = "\\u0009-\\u000d\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const runs = new RegExp(`[${WHITESPACE}]+`, "u");
const repeated = new RegExp(`[${WHITESPACE}]{2,}`, "gu");
const leading = new RegExp(`^[${WHITESPACE}]+`, "u");
const whitespaceEnd = new RegExp(`[${WHITESPACE}]$`, "u");

/** `text.split()`: the pieces between runs of whitespace, none of them empty. */
export function words(text: string): string[] {
  return text.split(runs).filter((word) => word !== "");
}

/** `re.split(r"\s+", text)`: the same, but whitespace at an end leaves an empty first or last piece. " a b\n" has 4. */
export function wordsWithEmptyEnds(text: string): string[] {
  return text.split(runs);
}

/** `re.sub(r"\s\s+", " ", text)`: runs of two or more become one space; a single tab or no-break space stays. */
export function collapseWhitespace(text: string): string {
  return text.replace(repeated, " ");
}

/** `text.rstrip()`. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && whitespaceEnd.test(text.slice(end - 1, end))) end--; // every whitespace character is one UTF-16 unit
  return text.slice(0, end);
}

/** `text.strip()`. */
export function trim(text: string): string {
  return trimEnd(text.replace(leading, ""));
}

/** `len(text)` in Python: code points, not UTF-16 units. */
export function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Bytes of the text in UTF-8. */
export function countUtf8Bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
