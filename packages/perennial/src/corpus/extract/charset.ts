/**
 * Which encoding a page is in, and its text. In order: byte order mark; valid UTF-8 with characters beyond ASCII (which no other encoding
 * produces by chance); what the HTTP header says; what a `<meta>` in the first bytes says; then a look at the bytes themselves.
 * Encodings and their names are those of the WHATWG Encoding Standard, decoded by `TextDecoder`.
 */
import { isAscii, isUtf8 } from "node:buffer";

export interface Decoded {
  readonly text: string;
  /** The standard's name, e.g. `windows-1252`. */
  readonly encoding: string;
}

/** Bytes in which a `<meta charset>` has to stand, as browsers read; pages with long heads exceed it a little. */
const META_BYTES = 4096;
const SNIFF_BYTES = 1 << 16;

const UTF_8 = new TextDecoder("utf-8");

export function decodePage(bytes: Uint8Array, contentType?: string): Decoded {
  const encoding = encodingOf(bytes, contentType);
  return { text: (encoding === "utf-8" ? UTF_8 : new TextDecoder(encoding)).decode(bytes), encoding };
}

function encodingOf(bytes: Uint8Array, contentType: string | undefined): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  // Most pages are UTF-8, whatever they say; the escape sequences of ISO-2022-JP are ASCII.
  const utf8 = isUtf8(bytes);
  if (utf8 && !(bytes.includes(0x1b) && isAscii(bytes))) return "utf-8";
  const declared = standardName(charsetIn(contentType ?? "")) ?? standardName(metaCharset(bytes));
  if (utf8) return declared === "iso-2022-jp" ? declared : "utf-8";
  if (declared !== undefined && declared !== "utf-8") return declared;
  // Said to be UTF-8 and nearly so: a few broken characters do not make it something else.
  if (declared === "utf-8" || mostlyUtf8(bytes)) return "utf-8";
  return sniffed(bytes.subarray(0, SNIFF_BYTES));
}

const charsetIn = (text: string): string | undefined => /charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(text)?.[1];

function metaCharset(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, META_BYTES)).toString("latin1");
  const xml = /^\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)/i.exec(head)?.[1];
  if (xml !== undefined) return xml;
  for (const [tag] of head.matchAll(/<meta\b[^>]*>/gi)) {
    const charset = charsetIn(tag);
    // A page that could say so in ASCII bytes is not in UTF-16.
    if (charset !== undefined) return /^utf-?16/i.test(charset) ? "utf-8" : charset;
  }
  return undefined;
}

function standardName(label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

function mostlyUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder("utf-8").decode(bytes.subarray(0, SNIFF_BYTES));
  let broken = 0;
  let beyondAscii = 0;
  for (const character of text) {
    if (character === "\ufffd") broken++;
    else if (character > "\x7f") beyondAscii++;
  }
  return beyondAscii > 10 * broken;
}

/** Multi-byte encodings, in which wrong guesses rarely decode at all; then one per alphabet. */
const CANDIDATES = [
  "shift_jis",
  "euc-jp",
  "euc-kr",
  "gb18030",
  "big5",
  "windows-1251",
  "koi8-r",
  "windows-1253",
  "windows-1255",
  "windows-1256",
  "windows-874",
];

/**
 * Frequent letters of what the candidates are used for, two or more in a row: a right guess is full of them. Western European bytes read as
 * Cyrillic give frequent letters too, but each alone between ASCII letters. Central European pages that declare nothing stay unknown.
 */
const FREQUENT =
  /(?:[оеаинтсрвлкмдпуяыьгзбчйхжю]{2,}|[αειοτνσρκπμλυηςάίόέή]{2,}|[יוהלאמרתבשנ]{2,}|[اليومنترهبدعسفقك]{2,}|[\u0e01-\u0e3a\u0e40-\u0e4e]{2,}|[\u3041-\u3096\u30a1-\u30fa]{2,}|[가-힣]{2,}|[的一是不了在人有我他这個们中来上大为和国地到以说時要就出会可也你对生能而子那得于着下自之年过发后作里]{2,})/gu;

function sniffed(bytes: Uint8Array): string {
  let best = "windows-1252";
  let bestShare = 0.35; // below it the few signs beyond ASCII are those of Western Europe
  for (const encoding of CANDIDATES) {
    let text: string;
    try {
      text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
    } catch {
      continue;
    }
    const beyondAscii = text.match(/[^\p{ASCII}]/gu)?.length ?? 0;
    const share = (text.match(FREQUENT)?.join("").length ?? 0) / Math.max(1, beyondAscii);
    if (share > bestShare) [best, bestShare] = [encoding, share];
  }
  return best;
}
