/**
 * Payment card and bank account numbers, told from other numbers by their check digits.
 *   card   13 to 19 digits, in groups of equal separators, of a known issuer range; Luhn sum ≡ 0 (mod 10) (ISO/IEC 7812)
 *   IBAN   country with its length, two check digits; letters as 10 … 35, first four characters moved to the end, ≡ 1 (mod 97) (ISO 13616)
 */
type Found = [start: number, end: number][];

const CARD = /(?<![\p{L}\p{N}.,+-])(?:3[0-9]|4|5|6|2[2-7])\d*(?:([ -])\d{2,7}(?:\1\d{2,7}){0,4})?(?![\p{L}\p{N}]|[.,-]\d)/gu;
/** American Express, Diners, JCB; Visa; Mastercard (51–55 and 2221–2720); Maestro, Discover, UnionPay. */
const ISSUER = /^(?:3[4-8]|4|5[0-8]|6|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/;

export function findCards(text: string): Found {
  const found: Found = [];
  for (const { index, 0: match } of text.matchAll(CARD)) {
    const digits = match.replace(/[ -]/g, "");
    if (digits.length >= 13 && digits.length <= 19 && ISSUER.test(digits) && luhn(digits)) found.push([index, index + match.length]);
  }
  return found;
}

export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
  }
  return sum % 10 === 0;
}

/** Characters of an IBAN by country (ISO 13616 registry). */
const LENGTHS =
  "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 " +
  "GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 " +
  "ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 " +
  "ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";
const LENGTH_BY_COUNTRY: ReadonlyMap<string, number> = new Map(
  LENGTHS.split(" ").map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

const IBAN_START = /(?<![\p{L}\p{N}])[A-Z]{2}\d\d(?=[ ]?[A-Z0-9])/gu;

export function findIbans(text: string): Found {
  const found: Found = [];
  for (const { index, 0: start } of text.matchAll(IBAN_START)) {
    const length = LENGTH_BY_COUNTRY.get(start.slice(0, 2));
    if (length === undefined) continue;
    let compact = "";
    let end = index;
    while (compact.length < length && /[A-Z0-9 ]/.test(text[end] ?? "") && !(text[end] === " " && text[end - 1] === " ")) {
      if (text[end] !== " ") compact += text[end];
      end++;
    }
    const alone = !/[\p{L}\p{N}]/u.test(text[end] ?? "");
    if (compact.length === length && alone && ibanRemainder(compact) === 1) found.push([index, end]);
  }
  return found;
}

export function ibanRemainder(compact: string): number {
  let remainder = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}
