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
  [DIGIT, /\p{Nd}/u],
  [1 << 25, /[.,،٫⎖⎗⎘]/u],
  [SPACE, /[\t\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u],
  [1 << 27, /\p{Cased}/u],
  [1 << 28, /\p{Case_Ignorable}/u],
] as const;
const TABLE_SIZE = 0x30000;

/** Stretches in which every code point stays as it is and has no flag: ideographs, private use, surrogates, unassigned planes. */
const UNTOUCHED = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xd800, 0xf8ff],
  [0x17000, 0x18cff],
  [0x20000, 0x2f7ff],
  [0x2fa20, 0x2ffff],
] as const;

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
  for (let code = 0; code < TABLE_SIZE; code++) {
    const skip = UNTOUCHED.find(([from, to]) => code >= from && code <= to);
    if (skip) {
      code = skip[1];
      continue;
    }
    const character = String.fromCodePoint(code);
    // Lowercase first: what a capital is followed by in its lower form decides, e.g. İ → i + dot above → i.
    const lower = character.toLowerCase();
    let flags = 0;
    for (const [flag, pattern] of FLAGS) if (pattern.test(character)) flags |= flag;
    const folded = PUNCTUATION.has(lower) ? " " : lower.normalize("NFD").replace(NON_SPACING_MARK, "");
    if (folded === " " && !(flags & DIGIT)) flags |= SPACE; // １ is both in the reference; numbers go first
    if (folded === character) {
      entries[code] = IDENTITY | flags;
      continue;
    }
    let place = places.get(folded);
    if (place === undefined) {
      place = pool.length;
      places.set(folded, place);
      pool += folded;
    }
    entries[code] = place | (folded.length << 20) | flags;
  }
  return corpusNative().createFold(entries, pool);
}
