/**
 * E-mail addresses: dot-separated atoms of ASCII letters, digits and !#$%&'*+/=?^_`{|}~- before the @; a dotted domain or an IPv4
 * address in brackets after it. The same language as the reference's expression (datatrove), searched outwards from each @, so that
 * the work is linear in the text whatever it holds.
 */
const ATOM = /[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/;
const WORD = /[\p{L}\p{N}_]/u;
const OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const DOMAIN = new RegExp(`(?:(?:${LABEL}\\.)+${LABEL}|\\[(?:${OCTET}\\.){3}${OCTET}\\])`, "y");

export function findEmails(text: string): [start: number, end: number][] {
  const found: [number, number][] = [];
  let free = 0; // nothing before it can be part of another address
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    const start = localStart(text, free, at);
    DOMAIN.lastIndex = at + 1;
    if (start === at || !DOMAIN.test(text)) continue;
    free = DOMAIN.lastIndex;
    found.push([start, free]);
  }
  return found;
}

/** Where the local part begins; `at` if there is none. It begins at a word boundary, and its dots stand single and inside. */
function localStart(text: string, free: number, at: number): number {
  if (at === free || text[at - 1] === ".") return at;
  let start = at;
  while (start > free && ATOM.test(text[start - 1]!) && !(text[start - 1] === "." && text[start] === ".")) start--;
  while (start < at && (text[start] === "." || isWord(text, start) === isWord(text, start - 1))) start++;
  return start;
}

const isWord = (text: string, i: number): boolean => i >= 0 && i < text.length && WORD.test(text[i]!);
