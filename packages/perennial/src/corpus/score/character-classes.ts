/**
 * Character classes of the web docs scorer, as ranges of code points, inclusive. They overlap, and a character counts in each of
 * its classes; a word character is one in none of them.
 */
const SINGULAR =
  "23-26 2A-2B 2F 3C-3E 40 5C 7C 7E A2-B3 B8-BE D7 F7 2B0-385 483-489 559-55F 2010-2D00 2DE0-2E52 10000-1FFFF A670-A67F 3200-33FF";
const PUNCTUATION =
  "21-22 27-29 2C-2E 3A-3B 3F 5B 5D 60 A1 B4-B5 B7 BF 589-5C7 600-61F 66A-66D 6D4-6ED 700-70F 1360-1368 1800-180A 1AB0-1AFF 1C78-1C7F " +
  "1CC0-1CC7 1FBD-1FC1 1FCD-1FCF 1FDD-1FDF 1FED-1FEF 1FFD-2027 3000-303F 4DC0-4DFF A6F0-A6F7 FE10-FE6F";
const NUMBERS =
  "30-39 660-669 6F0-6F9 964-96F 9F2-9F9 B66-B77 BE6-BFA C66-C6F C78-C7E CE6-CEF D66-D79 DE6-DEF E50-E5B EC0-ED9 1040-1049 1090-1099 " +
  "1369-137C 17E0-17E9 1810-1819 19D0-19DA 1A80-1A99 1B50-1B59 1C40-1C49 1C50-1C59 A830-A839 A8D0-A8D9 AA50-AA59";
const SPACES = "0-20 7F-A0 2B7E";

const SINGULAR_BIT = 1;
const PUNCTUATION_BIT = 2;
const NUMBER_BIT = 4;
const SPACE_BIT = 8;
const CODE_POINTS_WITH_CLASS = 0x20000;

let table: Uint8Array | undefined;

function classes(): Uint8Array {
  if (table !== undefined) return table;
  table = new Uint8Array(CODE_POINTS_WITH_CLASS);
  for (const [ranges, bit] of [
    [SINGULAR, SINGULAR_BIT],
    [PUNCTUATION, PUNCTUATION_BIT],
    [NUMBERS, NUMBER_BIT],
    [SPACES, SPACE_BIT],
  ] as const) {
    for (const range of ranges.split(" ")) {
      const [first, last = first] = range.split("-").map((hex) => Number.parseInt(hex, 16)) as [number, number?];
      for (let code = first; code <= last; code++) table[code]! |= bit;
    }
  }
  return table;
}

export interface CharacterCounts {
  readonly word: number;
  readonly punctuation: number;
  readonly singular: number;
  readonly numbers: number;
}

export function countCharacters(text: string): CharacterCounts {
  const table = classes();
  let word = 0;
  let punctuation = 0;
  let singular = 0;
  let numbers = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    const bits = table[code] ?? 0;
    if (bits === 0) word++;
    else {
      if ((bits & PUNCTUATION_BIT) !== 0) punctuation++;
      if ((bits & SINGULAR_BIT) !== 0) singular++;
      if ((bits & NUMBER_BIT) !== 0) numbers++;
    }
  }
  return { word, punctuation, singular, numbers };
}
