/**
 * Words of a text in any language: the word segments of Unicode Annex 29 as `Intl.Segmenter` finds them (dictionaries for
 * Chinese, Japanese, Thai, Lao, Khmer, Burmese), punctuation marks included as words, white space left out.
 *
 * `Intl.Segmenter` costs about a microsecond a segment, so it is asked as rarely as possible. White space always separates
 * words, therefore the text is cut there and each chunk is segmented for itself:
 *   plain chunks    (only characters of the classes below) by the rules of the annex, written out here;
 *   other chunks    by the segmenter, remembered when short, because chunks repeat.
 * The class of a character is learned by asking the segmenter itself once, so the result is that of the installed ICU
 * version; a test compares both on real text in many languages and on random strings.
 */
import { wordLocale } from "./fallback.ts";
import { segmentsOf } from "./segments.ts";
import { isBlank } from "./whitespace.ts";

export type WordSplitter = (text: string) => string[];

const UNKNOWN = 0;
const COMPLEX = 1; // anything that needs the segmenter
const OTHER = 2; // a word of its own, whatever stands beside it
const MID_LETTER = 3; // joins letters: a:b
const MID_NUMBER = 4; // joins digits: 1,000
const MID_BOTH = 5; // joins letters, and digits: it's, 3.14
const EXTENDER = 6; // the underscore: joins everything
const DIGIT = 7;
const LETTER = 8;

/** Scripts outside have combining marks, dictionaries or rules of their own. Inside stay Latin, Greek, Cyrillic and signs. */
const isCandidate = (unit: number): boolean => unit < 0x530 || (unit >= 0x2010 && unit <= 0x205e);

const MAX_REMEMBERED_UNITS = 40;
const MAX_REMEMBERED_CHUNKS = 1 << 16;

/** A splitter for a BCP 47 language. It keeps what it has learned: make one a language, not one a text. */
export function intlWords(locale: string): WordSplitter {
  const segmenter = new Intl.Segmenter(locale, { granularity: "word" });
  const segments = (text: string): string[] => {
    const found: string[] = [];
    for (const segment of segmentsOf(segmenter, text)) if (!isBlank(segment)) found.push(segment);
    return found;
  };
  const classes = new Uint8Array(0x10000);
  const remembered = new Map<string, string[]>();

  const complexChunk = (chunk: string): string[] => {
    if (chunk.length > MAX_REMEMBERED_UNITS) return segments(chunk);
    let words = remembered.get(chunk);
    if (words === undefined) {
      if (remembered.size >= MAX_REMEMBERED_CHUNKS) remembered.clear();
      words = segments(chunk);
      remembered.set(chunk, words);
    }
    return words;
  };

  return (text) => {
    const words: string[] = [];
    for (let start = 0, end: number; start < text.length; start = end + 1) {
      let complex = false;
      for (end = start; end < text.length; end++) {
        const unit = text.charCodeAt(end);
        if (unit === 32 || unit === 10 || unit === 9 || unit === 13) break;
        let kind = classes[unit]!;
        if (kind === UNKNOWN) kind = classes[unit] = classify(unit, segments);
        if (kind === COMPLEX) complex = true;
      }
      if (end === start) continue;
      if (complex) for (const word of complexChunk(text.slice(start, end))) words.push(word);
      else plainChunk(text, start, end, classes, words);
    }
    return words;
  };
}

/** Rules 5–13 of the annex on text[start, end), which holds only characters of known, simple class. */
function plainChunk(text: string, start: number, end: number, classes: Uint8Array, words: string[]): void {
  for (let i = start; i < end; ) {
    const first = i;
    let before = classes[text.charCodeAt(i++)]!;
    while (before >= EXTENDER && i < end) {
      const kind = classes[text.charCodeAt(i)]!;
      if (kind >= EXTENDER) {
        before = kind;
        i++;
      } else if (i + 1 < end && classes[text.charCodeAt(i + 1)] === before && joins(kind, before)) i += 2;
      else break;
    }
    words.push(text.slice(first, i));
  }
}

const joins = (middle: number, side: number): boolean =>
  side === LETTER ? middle === MID_LETTER || middle === MID_BOTH : side === DIGIT && (middle === MID_NUMBER || middle === MID_BOTH);

function classify(unit: number, segments: (text: string) => string[]): number {
  if (!isCandidate(unit)) return COMPLEX;
  const c = String.fromCharCode(unit);
  if (isBlank(c)) return COMPLEX;
  // One bit a context: is everything one word there? The contexts tell all classes of the annex apart. The segmenter is asked once, with line
  // ends between them, which are boundaries on either side; it does not return those.
  const contexts = [c + c, `a${c}`, `${c}a`, `1${c}`, `${c}1`, `_${c}`, `${c}_`, `a${c}a`, `1${c}1`, `!${c}`, `${c}"א`, `a'${c}`, `1'${c}`];
  const found = segments(contexts.join("\n"));
  let at = 0;
  const signature = contexts.map((context) => {
    const whole = found[at] === context;
    for (let length = 0; length < context.length; at++) length += found[at]!.length;
    return whole ? "1" : "0";
  });
  return SIGNATURES.get(signature.join("")) ?? COMPLEX;
}

const SIGNATURES: ReadonlyMap<string, number> = new Map([
  ["0000000000000", OTHER],
  ["0000000100000", MID_LETTER],
  ["0000000010000", MID_NUMBER],
  ["0000000110000", MID_BOTH],
  ["1111111110000", EXTENDER],
  ["1111111110001", DIGIT],
  ["1111111110010", LETTER],
]);

const splitters = new Map<string, WordSplitter>();

/** The words of a text whose language label is e.g. `kab_Latn`; see `wordLocale` for languages that ICU does not know. */
export function wordsOf(text: string, label: string): string[] {
  let splitter = splitters.get(label);
  if (splitter === undefined) {
    const { locale } = wordLocale(label);
    splitter = splitters.get(locale) ?? intlWords(locale);
    splitters.set(locale, splitter).set(label, splitter);
  }
  return splitter(text);
}
