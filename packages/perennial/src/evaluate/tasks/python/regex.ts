/**
 * Regular expressions of Python's `re` for texts, as JavaScript's: groups by name, `\d \w \s \b` for every script, `\A \Z`, `$` before a last
 * newline, flags in front. What JavaScript has no counterpart for (conditionals, atomic groups, `(?x)`) is an error.
 */
import { FieldError } from "../../../errors.ts";

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = "\\p{L}\\p{N}_";
/** As members of a class; outside they stand in brackets. */
const CLASSES: Readonly<Record<string, string>> = { d: "\\p{Nd}", w: WORD, s: SPACE };
const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const NO_BOUNDARY = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`;

/** `at` names the pattern in errors. The result is global: for `matchAll` and `replaceAll`. */
export function pythonRegex(pattern: string, at: string): RegExp {
  try {
    const [, letters = ""] = /^\(\?([aiLmsux]+)\)/.exec(pattern) ?? [];
    if (/[aLx]/.test(letters)) throw new SyntaxError(`the flags (?${letters})`);
    const body = letters === "" ? pattern : pattern.slice(letters.length + 3);
    const multiline = letters.includes("m");
    return new RegExp(translated(body, multiline), `gu${letters.replace(/[^is]/g, "")}${multiline ? "m" : ""}`);
  } catch (cause) {
    throw new FieldError(
      "TASK_REGEX",
      {
        at,
        expected: `a regular expression (${(cause as Error).message.replace(/^Invalid regular expression: /, "")})`,
        received: pattern,
      },
      { cause },
    );
  }
}

function translated(pattern: string, multiline: boolean): string {
  let out = "";
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    const rest = pattern.slice(i);
    if (character === "\\") {
      const found = escaped(pattern.slice(i + 1), inClass);
      out += found.text;
      i += found.length;
    } else if (inClass) {
      if (character === "]") inClass = false;
      out += character === "[" ? "\\[" : character;
    } else if (character === "[") {
      inClass = true;
      const [opening] = /^\[\^?\]?/.exec(rest)!;
      out += opening.replace("]", "\\]"); // a bracket that comes first is a member
      i += opening.length - 1;
    } else if (rest.startsWith("(?P<")) {
      out += "(?<";
      i += 3;
    } else if (/^\(\?P=\w+\)/.test(rest)) {
      const name = /^\(\?P=(\w+)\)/.exec(rest)![1]!;
      out += `\\k<${name}>`;
      i += name.length + 4;
    } else if (/^\(\?(?:[>(aiLmsux]|P[^<=])/.test(rest)) {
      throw new SyntaxError(`${rest.slice(0, 4)} has no counterpart`);
    } else if (character === "$" && !multiline) out += "(?=\\n?(?![\\s\\S]))";
    else if (character === "{" && !/^\{\d*,?\d*\}/.test(rest)) out += "\\{";
    else if (character === "}" && !/\{\d*,?\d*$/.test(pattern.slice(0, i))) out += "\\}";
    else if (rest.startsWith("{,")) out += "{0";
    else out += character === "]" ? "\\]" : character;
  }
  return out;
}

/** What stands for the escape at the start of `rest`, and how many characters of `rest` it takes. */
function escaped(rest: string, inClass: boolean): { text: string; length: number } {
  const letter = rest[0] ?? "\\";
  const lower = letter.toLowerCase();
  const members = CLASSES[lower];
  if (members !== undefined && /[a-z]/i.test(letter)) {
    if (letter === lower) return { text: inClass ? members : `[${members}]`, length: 1 };
    if (inClass && lower === "s") return { text: "\\S", length: 1 };
    if (inClass) return { text: lower === "d" ? "\\P{Nd}" : "\\W", length: 1 };
    return { text: `[^${members}]`, length: 1 };
  }
  if (letter === "A") return { text: "(?<![\\s\\S])", length: 1 };
  if (letter === "Z") return { text: "(?![\\s\\S])", length: 1 };
  if (letter === "b") return { text: inClass ? "\\b" : BOUNDARY, length: 1 };
  if (letter === "B") return { text: NO_BOUNDARY, length: 1 };
  if (letter === "a") return { text: "\\x07", length: 1 };
  if (/^x[\da-fA-F]{2}|^u[\da-fA-F]{4}/.test(rest))
    return { text: `\\${rest.slice(0, letter === "x" ? 3 : 5)}`, length: letter === "x" ? 3 : 5 };
  if (/[0-9nrtfv]/.test(letter)) return { text: `\\${letter}`, length: 1 };
  if (/[a-zA-Z]/.test(letter)) throw new SyntaxError(`\\${letter} is not known`);
  return { text: /[\^$\\.*+?()[\]{}|/-]/.test(letter) && (inClass || letter !== "-") ? `\\${letter}` : letter, length: 1 };
}

/** `re.findall`: the whole match without groups, the group where there is one, else the groups of each match. */
export function findAll(regex: RegExp, text: string): (string | string[])[] {
  return Array.from(text.matchAll(regex), (match) => {
    if (match.length === 1) return match[0];
    const groups = match.slice(1).map((group) => group ?? "");
    return groups.length === 1 ? groups[0]! : groups;
  });
}

/** `re.sub`: `\1` and `\g<name>` in the replacement are groups. */
export function substitute(regex: RegExp, replacement: string, text: string, count = 0): string {
  let left = count === 0 ? Number.POSITIVE_INFINITY : count;
  return text.replace(regex, (match: string, ...rest: unknown[]) => {
    if (left-- <= 0) return match;
    const named = typeof rest.at(-1) === "object" ? (rest.at(-1) as Record<string, string | undefined>) : {};
    return replacement.replace(/\\(?:(\d)|g<(\w+)>|([\s\S]))/g, (_, digit?: string, name?: string, other?: string) => {
      if (other !== undefined) return ({ n: "\n", t: "\t", r: "\r", "\\": "\\" } as Record<string, string>)[other] ?? `\\${other}`;
      const key = digit ?? name!;
      return /^\d+$/.test(key) ? (key === "0" ? match : String(rest[Number(key) - 1] ?? "")) : (named[key] ?? "");
    });
  });
}
