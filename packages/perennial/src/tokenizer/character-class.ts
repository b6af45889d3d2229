/**
 * Character classes of Oniguruma patterns as postfix set programs (native/tokenizer/regex.h, `CharacterSet`).
 * General categories are the native tables'; scripts and other properties come from Node's Unicode data.
 */

const OR = 4;
const CATEGORIES = "Cn Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split(" ");
const LONG_NAMES: Readonly<Record<string, string>> = {
  letter: "L", mark: "M", number: "N", punctuation: "P", symbol: "S", separator: "Z", other: "C",
  uppercaseletter: "Lu", lowercaseletter: "Ll", titlecaseletter: "Lt", modifierletter: "Lm", otherletter: "Lo",
  decimalnumber: "Nd", letternumber: "Nl", othernumber: "No", nonspacingmark: "Mn", spacingmark: "Mc", enclosingmark: "Me",
}; // biome-ignore format: a table

type Set = readonly number[];

export const range = (first: number, last: number): Set => [0, first, last];
export const negated = (set: Set): Set => [...set, 3];
export const union = (sets: readonly Set[]): Set =>
  sets.length === 0 ? negated(range(0, 0x10ffff)) : sets.flatMap((set, i) => (i === 0 ? [...set] : [...set, OR]));
const intersection = (left: Set, right: Set): Set => [...left, ...right, 5];

const SPACE: Set = [2];
const DIGIT: Set = [1, 1 << CATEGORIES.indexOf("Nd")];
// \w as Oniguruma has it: without the joiners, with the superscript digits and fractions of Latin-1.
const WORD: Set = union([intersection([6], negated(range(0x200c, 0x200d))), range(0xb2, 0xb3), range(0xb9, 0xb9), range(0xbc, 0xbe)]);
const HEX: Set = union([range(0x30, 0x39), range(0x41, 0x46), range(0x61, 0x66)]);
const SHORTHANDS: Readonly<Record<string, Set>> = { s: SPACE, d: DIGIT, w: WORD, h: HEX };
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27 };

type Escape = { readonly set: Set; readonly point?: undefined; readonly end: number } | { readonly point: number; readonly end: number };

/** What follows a backslash: a single code point or a set. `at` stands behind the backslash. */
export function parseEscape(chars: readonly string[], at: number, fail: (what: string) => never): Escape {
  const letter = chars[at];
  if (letter === undefined) fail("a \\ at the end");
  const lower = letter.toLowerCase();
  if (lower === "p") return parseProperty(chars, at, fail);
  const shorthand = SHORTHANDS[lower];
  if (shorthand) return { set: letter === lower ? shorthand : negated(shorthand), end: at + 1 };
  if (letter in CONTROLS) return { point: CONTROLS[letter]!, end: at + 1 };
  const rest = chars.slice(at, at + 12).join("");
  const hex = /^(?:x\{([0-9a-fA-F]{1,8})\}|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4}))/.exec(rest);
  if (hex) {
    const point = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "", 16);
    if (point > 0x10ffff) fail("a code point above 10FFFF");
    return { point, end: at + hex[0].length };
  }
  if (/[0-9A-Za-z]/.test(letter)) fail(`the unsupported escape \\${letter}`);
  return { point: letter.codePointAt(0)!, end: at + 1 };
}

function parseProperty(chars: readonly string[], at: number, fail: (what: string) => never): Escape {
  const close = chars.indexOf("}", at);
  if (chars[at + 1] !== "{" || close < 0) fail("a \\p without {…}");
  let name = chars.slice(at + 2, close).join("");
  let inverted = chars[at] === "P";
  if (name.startsWith("^")) {
    inverted = !inverted;
    name = name.slice(1);
  }
  const set = propertySet(name);
  if (set === undefined) fail(`the unknown property \\p{${name}}`);
  return { set: inverted ? negated(set) : set, end: close + 1 };
}

const properties = new Map<string, Set | undefined>();

function propertySet(name: string): Set | undefined {
  if (!properties.has(name)) properties.set(name, categorySet(name) ?? probedSet(name));
  return properties.get(name);
}

function categorySet(name: string): Set | undefined {
  const key = name.toLowerCase().replaceAll(/[ _-]/g, "");
  const short = LONG_NAMES[key] ?? key;
  let mask = 0;
  CATEGORIES.forEach((category, i) => {
    if (category.toLowerCase() === short.toLowerCase() || category[0]!.toLowerCase() === short.toLowerCase()) mask |= 1 << i;
  });
  return mask === 0 ? undefined : [1, mask];
}

function probedSet(name: string): Set | undefined {
  if (!/^[A-Za-z_]+$/.test(name)) return undefined;
  const capital = name.replaceAll(/[A-Za-z]+/g, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase());
  for (const property of [name, capital, `Script=${name}`, `Script=${capital}`]) {
    let test: RegExp;
    try {
      test = new RegExp(`^\\p{${property}}$`, "u");
    } catch {
      continue;
    }
    return union(runsWhere((point) => test.test(String.fromCodePoint(point))));
  }
  return undefined;
}

function runsWhere(test: (point: number) => boolean): Set[] {
  const runs: Set[] = [];
  let first = -1;
  for (let point = 0; point <= 0x110000; point++) {
    const inside = point <= 0x10ffff && test(point);
    if (inside && first < 0) first = point;
    if (!inside && first >= 0) {
      runs.push(range(first, point - 1));
      first = -1;
    }
  }
  return runs;
}

let foldings: Map<string, number[]> | undefined;

/** The range with every character that differs only by case (single characters, as in "ſ" for "s"). */
export function foldedSet(first: number, last: number): Set {
  if (foldings === undefined) {
    foldings = new Map();
    for (let point = 0; point < 0x1f000; point++) {
      const char = String.fromCodePoint(point);
      const key = char.toUpperCase().toLowerCase();
      if (key === char && char.toUpperCase() === char) continue;
      const members = foldings.get(key);
      if (members) members.push(point);
      else foldings.set(key, [point]);
    }
  }
  const sets: Set[] = [range(first, last)];
  for (let point = first; point <= Math.min(last, 0x1efff); point++)
    for (const other of foldings.get(String.fromCodePoint(point).toUpperCase().toLowerCase()) ?? [])
      if (other < first || other > last) sets.push(range(other, other));
  return union(sets);
}

/** A bracketed class that begins at `at`; nested classes and && as in Ruby. */
export function characterSet(
  chars: readonly string[],
  at: number,
  ignoreCase: boolean,
  fail: (at: number, what: string) => never,
  depth = 0,
): { set: Set; end: number } {
  if (depth > 20) fail(at, "classes nested more than 20 deep");
  const begin = at;
  at++;
  const inverted = chars[at] === "^";
  if (inverted) at++;
  let left: Set | undefined; // what stands before an &&
  let parts: Set[] = [];
  let isFirst = true;
  for (; ; isFirst = false) {
    const char = chars[at];
    if (char === undefined) fail(begin, "a class without ]");
    if (char === "]" && !isFirst) break;
    if (char === "[") {
      if (chars[at + 1] === ":") fail(at, "the unsupported POSIX bracket");
      const nested = characterSet(chars, at, ignoreCase, fail, depth + 1);
      parts.push(nested.set);
      at = nested.end;
      continue;
    }
    if (char === "&" && chars[at + 1] === "&") {
      left = left === undefined ? union(parts) : intersection(left, union(parts));
      parts = [];
      at += 2;
      continue;
    }
    const low = classItem(chars, at, fail);
    at = low.end;
    if (low.point === undefined) {
      parts.push(low.set);
      continue;
    }
    let last = low.point;
    if (chars[at] === "-" && chars[at + 1] !== undefined && chars[at + 1] !== "]") {
      const high = classItem(chars, at + 1, fail);
      if (high.point === undefined) {
        parts.push(range(low.point, low.point), range(0x2d, 0x2d), high.set);
        at = high.end;
        continue;
      }
      if (high.point < low.point) fail(at, "a range that runs backwards");
      last = high.point;
      at = high.end;
    }
    parts.push(ignoreCase ? foldedSet(low.point, last) : range(low.point, last));
  }
  const all = left === undefined ? union(parts) : intersection(left, union(parts));
  return { set: inverted ? negated(all) : all, end: at + 1 };
}

function classItem(chars: readonly string[], at: number, fail: (at: number, what: string) => never): Escape {
  const char = chars[at]!;
  if (char !== "\\") return { point: char.codePointAt(0)!, end: at + 1 };
  if (chars[at + 1] === "b") return { point: 8, end: at + 2 };
  return parseEscape(chars, at + 1, (what) => fail(at, what));
}
