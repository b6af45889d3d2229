/**
 * Telephone numbers: 8 to 15 digits with the usual separators that begin with + and a country code, or 6 to 15 digits after a word
 * such as "Tel." or "电话" (within 25 characters, in the same line). Digits in any script.
 */
const NUMBER = /(?<![\p{L}\p{N}.,])\+?\(?\p{Nd}(?:[ ./()\u00a0–-]{0,3}\p{Nd}){5,14}(?![\p{L}\p{N}]|[.,]\p{N})/gu;
const CONTEXT =
  /(?:\b(?:t[eéè]l(?:[eéè]?fono?|ephone|efon|\.)?|tlf|fono|(?:tele)?phone|fax|mobile?|cell|celular|gsm|whatsapp|simu)|телефон|тел\.?|факс|τηλ|هاتف|تلفن|تلفون|טלפון|फ़ोन|फोन|ফোন|โทร|电话|電話|手机|전화|điện thoại)[^\p{N}\n]*$/iu;
const REACH = 25;

export function findPhones(text: string): [start: number, end: number][] {
  const found: [number, number][] = [];
  for (const { index, 0: number } of text.matchAll(NUMBER)) {
    const digits = number.match(/\p{Nd}/gu)!.length;
    const international = number.startsWith("+") && digits >= 8;
    if (international || CONTEXT.test(text.slice(Math.max(0, index - REACH), index))) found.push([index, index + number.length]);
  }
  return found;
}
