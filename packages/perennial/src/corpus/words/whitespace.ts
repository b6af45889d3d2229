/**
 * White space as the reference filters see it: Unicode's White_Space property with U+001C–U+001F, without U+FEFF.
 * JavaScript's `trim` and `\s` differ in exactly those characters, so they are not used where a count depends on it.
 */
const WHITESPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const ALL = new RegExp(`^${WHITESPACE}*$`, "u");
const RUNS = new RegExp(`${WHITESPACE}+`, "u");

/** Is this UTF-16 unit white space? (All white space is in the basic plane.) */
export function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 32 || (unit >= 9 && unit <= 13) || (unit >= 28 && unit <= 31);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  return (
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

export function isBlank(text: string): boolean {
  return text.length === 0 || (isSpace(text.charCodeAt(0)) && ALL.test(text));
}

export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** The words between white space; no empty ones. */
export function splitOnWhitespace(text: string): string[] {
  const trimmed = trim(text);
  return trimmed === "" ? [] : trimmed.split(RUNS);
}
