/**
 * Mojibake: UTF-8 that was once decoded as a one-byte code page, e.g. "cafÃ©" for "café". Repaired only where the text can hardly be
 * meant: no normalization, no change of quotes or widths, and clean text stays as it is.
 *
 * A candidate is a maximal run of characters whose bytes in the code page are whole UTF-8 sequences. Its evidence is
 *   strong   a sequence of 4 bytes (emoji); one of 3 bytes that gives a mark of general punctuation, a currency or letter-like sign, an arrow, a key or another symbol;
 *            two sequences in a row (three for the Cyrillic page, whose bytes are everyday letters);
 *            a single Latin letter beside a letter it can belong to, or a sign after Â that follows no capital letter
 *   weak     everything else; repaired only if the text also holds strong evidence for that script: "LIBERTÉ : «cité »" with
 *            no-break spaces is French, although its bytes would be UTF-8 for ɠ and 頻
 * Code pages: windows-1252 (its holes as C1 controls, so ISO 8859-1 too), windows-1250, windows-1251. Text that was broken twice is
 * repaired twice. Method after ftfy (Speer 2019), with rules of our own.
 */
const MAX_PASSES = 6;

export function repairMojibake(text: string): string {
  let repaired = text;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    // The page that explains the most of the text goes first: pages share many characters.
    let best: Repair | undefined;
    for (const page of codePages()) {
      const repair = repairPage(repaired, page);
      if (repair !== undefined && repair.explained > (best?.explained ?? 0)) best = repair;
    }
    if (best === undefined) break;
    repaired = best.text;
  }
  return repaired;
}

interface CodePage {
  /** Byte of each character beyond ASCII. */
  readonly bytes: ReadonlyMap<number, number>;
  /** Runs that may be whole UTF-8 sequences. */
  readonly runs: RegExp;
  /** Sequences in a row that are strong evidence. */
  readonly enough: number;
  /** Are single Latin letters looked at? */
  readonly singles: boolean;
}

let pages: readonly CodePage[] | undefined;
const codePages = (): readonly CodePage[] =>
  (pages ??= [codePage("windows-1252", 2, true), codePage("windows-1251", 3, false), codePage("windows-1250", 2, true)]);

/** Bytes 0x80 … 0x9f of windows-1252, a space for a hole; not every `TextDecoder` has them right. From 0xa0 on it is ISO 8859-1. */
const WINDOWS_1252 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

function codePage(name: string, enough: number, singles: boolean): CodePage {
  const decoder = new TextDecoder(name);
  const characterOf = (byte: number): string => {
    if (name !== "windows-1252") return decoder.decode(Uint8Array.of(byte));
    const sign = WINDOWS_1252[byte - 0x80] ?? " ";
    return sign === " " ? String.fromCharCode(byte) : sign;
  };
  const bytes = new Map<number, number>();
  const leads: string[] = [];
  const follows: string[] = [];
  for (let byte = 0x80; byte <= 0xff; byte++) {
    const character = characterOf(byte);
    bytes.set(character.charCodeAt(0), byte);
    if (byte < 0xa0) bytes.set(byte, byte); // a C1 control: the byte itself
    (byte < 0xc0 ? follows : leads).push(escaped(character), ...(byte < 0xa0 ? [escaped(String.fromCharCode(byte))] : []));
  }
  const lead = leads.join("");
  return { bytes, runs: new RegExp(`[${lead}][${follows.join("")}][${lead}${follows.join("")}]*`, "g"), enough, singles };
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly decoded: string;
  readonly strong: boolean;
}

interface Repair {
  readonly text: string;
  /** Characters that were replaced. */
  readonly explained: number;
}

/** undefined where nothing is to be repaired. */
function repairPage(text: string, page: CodePage): Repair | undefined {
  const candidates: Candidate[] = [];
  for (const { index, 0: run } of text.matchAll(page.runs)) candidates.push(...candidatesIn(text, index, index + run.length, page));
  const scripts = new Set(candidates.filter(({ strong }) => strong).flatMap(({ decoded }) => Array.from(decoded, scriptOf)));
  if (scripts.size === 0) return undefined;
  let repaired = "";
  let done = 0;
  let explained = 0;
  for (const { start, end, decoded, strong } of candidates) {
    if (!strong && !scripts.has(scriptOf(decoded))) continue;
    repaired += text.slice(done, start) + decoded;
    done = end;
    explained += end - start;
  }
  return { text: repaired + text.slice(done), explained };
}

/** Blocks of Unicode that are used together; a letter of the extended Latin blocks needs evidence of its own. */
function scriptOf(character: string): string {
  const point = character.codePointAt(0)!;
  if (point < 0x180) return "Latin";
  return SCRIPTS.find(([, pattern]) => pattern.test(character))?.[0] ?? "other";
}

const SCRIPTS = ["Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Devanagari", "Thai", "Han", "Hiragana", "Katakana", "Hangul"].map(
  (script) => [script === "Latin" ? "extended Latin" : script, new RegExp(`^\\p{Script=${script}}`, "u")] as const,
);

/** Whole sequences that stand side by side make one candidate. */
function candidatesIn(text: string, from: number, to: number, page: CodePage): Candidate[] {
  const found: Candidate[] = [];
  for (let i = from; i < to; ) {
    const start = i;
    const sequences: { point: number; length: number }[] = [];
    for (let next = sequenceAt(text, i, to, page); next !== undefined; next = sequenceAt(text, i, to, page)) {
      sequences.push(next);
      i += next.length;
    }
    if (sequences.length === 0) {
      i++;
      continue;
    }
    const decoded = sequences.map(({ point }) => String.fromCodePoint(point)).join("");
    found.push({ start, end: i, decoded, strong: isStrong(text, start, i, sequences, page) });
  }
  return found;
}

function sequenceAt(text: string, at: number, to: number, { bytes }: CodePage): { point: number; length: number } | undefined {
  const byteAt = (i: number): number => (i < to ? (bytes.get(text.charCodeAt(i)) ?? 0) : 0);
  const lead = byteAt(at);
  const length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0) return undefined;
  let point = lead & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) {
    const byte = byteAt(at + k);
    if ((byte & 0xc0) !== 0x80) return undefined;
    point = (point << 6) | (byte & 0x3f);
  }
  const shortest = [0x80, 0x800, 0x10000][length - 2]!;
  if (point < shortest || point > 0x10ffff || !MEANT.test(String.fromCodePoint(point))) return undefined;
  return { point, length };
}

/** Letters, marks, numbers, punctuation, symbols, spaces and format characters: what a text holds; C1 controls: what a text that was broken twice holds. */
const MEANT = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\p{Cf}\u0080-\u009f]$/u;

const isSign = (point: number): boolean => (point >= 0x2010 && point <= 0x27bf) || point === 0xfeff || point === 0xfffd;

function isStrong(
  text: string,
  start: number,
  end: number,
  sequences: readonly { point: number; length: number }[],
  { enough, singles }: CodePage,
): boolean {
  if (sequences.length >= enough) return true;
  if (sequences.some(({ point, length }) => length === 4 || (length === 3 && isSign(point)))) return true;
  const point = sequences[0]!.point;
  if (!singles || sequences.length > 1 || point < 0xa0 || point > 0x17f) return false;
  const before = text.slice(Math.max(0, start - 1), start);
  const after = text.slice(end, end + 1);
  if (!/\p{L}/u.test(String.fromCodePoint(point))) return !/\p{Lu}/u.test(before);
  return /\p{Ll}/u.test(before) || (point < 0x100 ? /\p{L}/u : /\p{Ll}/u).test(after);
}
