/**
 * Character classes of the reference filters, as a table over the basic plane (one byte per UTF-16 unit).
 *   punctuation   a fixed list of signs, controls except \t and \n, and every sentence-final sign
 *   terminal      sentence-final signs of all scripts
 *   alphabetic    Unicode general category L*
 * Source of the two lists: datatrove `utils/text.py` (Apache-2.0).
 */
const SIGNS = "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»";

/** Ranges of code points, inclusive. */
const CONTROLS = [
  [0, 8],
  [11, 31],
  [127, 159],
] as const;

const TERMINAL =
  "!.?։؝؞؟۔܀܁܂߹।॥၊။።፧፨᙮᜵᜶។៕៖៙៚᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᭽᭾᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼⹓⹔。꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？｡࠷࠹࠽࠾" +
  "𐩖𐩗𐽕𐽖𐽗𐽘𐽙𐾆𐾇𐾈𐾉𑁇𑁈𑂾𑂿𑃀𑃁𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻𑈼𑊩𑑋𑑌𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑥄𑥆𑩂𑩃𑪛𑪜𑱁𑱂𑻷𑻸𑽃𑽄𖩮𖩯𖫵𖬷𖬸𖭄𖺘𛲟𝪈";

const PUNCTUATION_BIT = 1;
const TERMINAL_BIT = 2;
const LETTER_BIT = 4;

let table: Uint8Array | undefined;

/** One byte of class bits for each UTF-16 unit; surrogates have none. Made at first use (a few milliseconds). */
function classes(): Uint8Array {
  if (table !== undefined) return table;
  table = new Uint8Array(0x10000);
  for (const [first, end] of [
    [0, 0xd800],
    [0xe000, 0x10000],
  ] as const) {
    const units = String.fromCharCode(...Array.from({ length: end - first }, (_, i) => first + i));
    for (const { index, 0: letters } of units.matchAll(/\p{L}+/gu)) table.fill(LETTER_BIT, first + index, first + index + letters.length);
  }
  for (const sign of SIGNS) table[sign.charCodeAt(0)]! |= PUNCTUATION_BIT;
  for (const [first, last] of CONTROLS) for (let unit = first; unit <= last; unit++) table[unit]! |= PUNCTUATION_BIT;
  for (const sign of TERMINAL) if (sign.length === 1) table[sign.charCodeAt(0)]! |= PUNCTUATION_BIT | TERMINAL_BIT;
  return table;
}

const ASTRAL_TERMINAL: ReadonlySet<string> = new Set([...TERMINAL].filter((sign) => sign.length === 2));

export const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800;

/** Does the word hold a letter of any script? */
export function hasLetter(word: string): boolean {
  const table = classes();
  for (let i = 0; i < word.length; i++) {
    const unit = word.charCodeAt(i);
    if ((table[unit]! & LETTER_BIT) !== 0) return true;
    if (isHighSurrogate(unit)) return /\p{L}/u.test(word);
  }
  return false;
}

/** Does the word hold a character that is not punctuation? */
export function isCore(word: string): boolean {
  const table = classes();
  for (let i = 0; i < word.length; i++) {
    const unit = word.charCodeAt(i);
    if (isHighSurrogate(unit) && ASTRAL_TERMINAL.has(word.slice(i, i + 2))) i++;
    else if ((table[unit]! & PUNCTUATION_BIT) === 0) return true;
  }
  return false;
}

/** Is the last character of the line a sentence-final sign? */
export function endsSentence(line: string): boolean {
  const unit = line.charCodeAt(line.length - 1); // NaN for an empty line, which is in no table
  return (classes()[unit]! & TERMINAL_BIT) !== 0 || ((unit & 0xfc00) === 0xdc00 && ASTRAL_TERMINAL.has(line.slice(-2)));
}

const HIGH_SURROGATE = /[\ud800-\udbff]/;

/** Length in code points, as every length and share of the reference filters is counted. */
export function codePoints(text: string): number {
  if (!HIGH_SURROGATE.test(text)) return text.length;
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++)
    if (isHighSurrogate(text.charCodeAt(i)) && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--;
  return count;
}

let signs: RegExp | undefined;

/** The text with the reference's punctuation signs and controls (not all sentence-final signs) turned into spaces. */
export function withoutPunctuation(text: string): string {
  const hex = (code: number) => `\\u{${code.toString(16)}}`;
  signs ??= new RegExp(
    `[${[...SIGNS].map((sign) => hex(sign.codePointAt(0)!)).join("")}${CONTROLS.map(([first, last]) => `${hex(first)}-${hex(last)}`).join("")}]`,
    "gu",
  );
  return text.replace(signs, " ");
}
