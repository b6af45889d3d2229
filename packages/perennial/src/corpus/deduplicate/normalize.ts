/**
 * What two texts may differ in and still count as the same words (FineWeb2 §4, the reference implementation's `simplify_text`):
 *
 *   lowercase → every number, `\p{Nd}+` with at most one decimal part, becomes `0` → punctuation becomes a space
 *   → runs of white space become one space → NFD without non-spacing marks (Mn) → words at single spaces
 *
 * `foldWordsPlain` is that sentence, step by step. `wordFold()` is the same as one table look-up per character for the C++ hasher;
 * tests hold both to the same result. The table ignores one thing: NFD would also reorder two neighbouring combining marks that are
 * not Mn (a dozen code points of musical notation and Hangul tone marks), which changes no word of real text.
 */
import { corpusNative, type NativeHandle } from "../native.ts";

// The reference's list: common punctuation of several scripts, and the control characters but tab and line feed.
const PUNCTUATION = new Set("!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»");
for (const [from, to] of [
  [0, 9],
  [11, 13],
  [13, 32],
  [127, 160],
] as const)
  for (let code = from; code < to; code++) PUNCTUATION.add(String.fromCharCode(code));

const NUMBER = /\p{Nd}+(?:[.,،٫⎖⎗⎘]\p{Nd}+)?/gu;
const NON_SPACING_MARK = /\p{Mn}/gu;
/** White space as Unicode has it: JavaScript's `\s` less the byte order mark. */
const SPACES = /[\t\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** The words of `text`, folded, separated by single spaces. */
export function foldWordsPlain(text: string): string {
  const numbers = text
    .replace(/\p{Cs}/gu, "\ufffd")
    .toLowerCase()
    .replace(NUMBER, "0");
  let spaced = "";
  for (const character of numbers) spaced += PUNCTUATION.has(character) ? " " : character;
  return spaced.replace(SPACES, " ").normalize("NFD").replace(NON_SPACING_MARK, "").replace(SPACES, " ").trim();
}

/** Flags of a table entry; the layout stands in `native/corpus/fold.h`. */
const IDENTITY = 15 << 20;
const DIGIT = 1 << 24;
const SPACE = 1 << 26;
const FLAGS = [
  [DIGIT, /\p{Nd}+/gu],
  [1 << 25, /[.,،٫⎖⎗⎘]+/gu],
  [SPACE, SPACES],
  [1 << 27, /\p{Cased}+/gu],
  [1 << 28, /\p{Case_Ignorable}+/gu],
] as const;
const TABLE_SIZE = 0x30000;

/** Where code points change or have flags. Between: ideographs, surrogates, private use, unassigned planes. */
const STRETCHES = [
  [0, 0x33ff],
  [0x4dc0, 0x4dff],
  [0xa000, 0xd7ff],
  [0xf900, 0xffff],
  [0x10000, 0x16fff],
  [0x18d00, 0x1ffff],
  [0x2f800, 0x2fa1f],
] as const;

/** Code points that are looked at together: most blocks of them stay as they are. */
const BLOCK = 64;
/** What is removed or becomes a space. */
const ALTERED = new RegExp(`[\\p{Mn}${Array.from(PUNCTUATION, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`).join("")}]`, "u");

let shared: NativeHandle<"fold"> | undefined;

/** The table for C++, made once per thread from the plain rules above. */
export function wordFold(): NativeHandle<"fold"> {
  shared ??= makeFold();
  return shared;
}

function makeFold(): NativeHandle<"fold"> {
  const entries = new Uint32Array(TABLE_SIZE).fill(IDENTITY);
  const places = new Map<string, number>();
  let pool = "";
  const placeOf = (folded: string): number => {
    let place = places.get(folded);
    if (place === undefined) {
      place = pool.length;
      places.set(folded, place);
      pool += folded;
    }
    return place;
  };
  for (const [first, last] of STRETCHES) {
    const units = first > 0xffff ? 2 : 1;
    let text = "";
    for (let code = first; code <= last; code++) text += String.fromCodePoint(code);
    for (const [flag, pattern] of FLAGS)
      for (const { index, 0: run } of text.matchAll(pattern))
        for (let i = 0; i < run.length; i += units) entries[first + (index + i) / units]! |= flag;
    for (let from = first; from <= last; from += BLOCK) {
      const block = text.slice((from - first) * units, (from - first + BLOCK) * units);
      if (block === block.toLowerCase().normalize("NFD") && !ALTERED.test(block)) continue;
      for (let code = from; code < from + BLOCK; code++) {
        const character = String.fromCodePoint(code);
        // Lowercase first: what a capital is followed by in its lower form decides, e.g. İ → i + dot above → i.
        const lower = character.toLowerCase();
        const folded = PUNCTUATION.has(lower) ? " " : lower.normalize("NFD").replace(NON_SPACING_MARK, "");
        let flags = entries[code]! & ~IDENTITY;
        if (folded === " " && !(flags & DIGIT)) flags |= SPACE; // １ is both in the reference; numbers go first
        entries[code] = flags | (folded === character ? IDENTITY : placeOf(folded) | (folded.length << 20));
      }
    }
  }
  return corpusNative().createFold(entries, pool);
}
