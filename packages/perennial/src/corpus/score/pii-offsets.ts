/**
 * Where personal data stand in a text that is not altered: sorted half-open ranges of Unicode code points.
 *   e-mail   word characters, dots, equals signs, hyphens, then @, then a dotted domain that ends with 2 to 3 characters
 *   phone    7 to 15 digits with the usual separators, if a word such as "Tel" stands within 25 characters before
 *   IP       a dotted quad, if "ip" stands within 16 characters before
 * Source: HPLT 3.0 (multilingual PII tool). Its phone patterns are per language and not published with the paper; ours is one
 * international pattern with context words of many languages.
 */
import { isHighSurrogate } from "../words/characters.ts";

export type Range = readonly [start: number, end: number];

const LOCAL = /[\p{L}\p{N}_.=-]/u;
const DOMAIN = /[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.[\p{L}\p{N}_]{2,3}(?![\p{L}\p{N}_])/uy;
const PHONE = /(?<![\p{N}.])\+?\(?\p{Nd}(?:[ ./()–-]{0,2}\p{Nd}){6,14}(?!\p{N})/gu;
const PHONE_WORD =
  /t[eéè]l[eéè]?f|tel\b|t[ée]l\b|phone|fax|mobil|celular|cellulare|gsm|whatsapp|телефон|тел\b|тел\.|факс|τηλ|هاتف|تلفن|تلفون|טלפון|फ़ोन|फोन|ফোন|โทร|电话|電話|手机|전화|điện thoại|simu/iu;
const IP = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/g;
const IP_WORD = /ip/i;
const PHONE_REACH = 25;
const IP_REACH = 16;

export function piiOffsets(text: string): Range[] {
  const units: [number, number][] = [];
  const collect = (pattern: RegExp, context?: { word: RegExp; reach: number }) => {
    for (const { index, 0: found } of text.matchAll(pattern)) {
      if (context && !context.word.test(text.slice(Math.max(0, index - context.reach), index))) continue;
      if (!units.some(([start, end]) => index < end && index + found.length > start)) units.push([index, index + found.length]);
    }
  };
  for (const email of emails(text)) units.push(email);
  collect(IP, { word: IP_WORD, reach: IP_REACH });
  collect(PHONE, { word: PHONE_WORD, reach: PHONE_REACH });
  return inCodePoints(
    text,
    units.sort(([a], [b]) => a - b),
  );
}

/** Outwards from each @, so that the work is linear in the text. */
function* emails(text: string): Generator<[number, number]> {
  let free = 0;
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    let start = at;
    while (start > free && LOCAL.test(text[start - 1]!)) start--;
    DOMAIN.lastIndex = at + 1;
    if (start === at || !DOMAIN.test(text)) continue;
    free = DOMAIN.lastIndex;
    yield [start, free];
  }
}

/** Ranges of UTF-16 units, ascending and disjoint, as ranges of code points. */
function inCodePoints(text: string, units: readonly Range[]): Range[] {
  let unit = 0;
  let point = 0;
  const at = (target: number): number => {
    for (; unit < target; unit++) {
      point++;
      if (isHighSurrogate(text.charCodeAt(unit)) && (text.charCodeAt(unit + 1) & 0xfc00) === 0xdc00) unit++;
    }
    return point;
  };
  return units.map(([start, end]) => [at(start), at(end)]);
}
