/**
 * Compiles the regular expressions of tokenizer.json (Oniguruma, Ruby syntax) for the native matcher (native/tokenizer/regex.h).
 * Supported: alternation, groups, (?i) and (?m), character classes with ranges, nesting, && and \p{…}, greedy, lazy and
 * possessive quantifiers, atomic groups, look-ahead, fixed-length look-behind, anchors. Anything else is an error.
 */
import { characterSet, foldedSet, negated, parseEscape, range } from "./character-class.ts";
import type { CompiledRegex } from "./native.ts";

/** A pattern that cannot be compiled; the message tells what and where. */
export class RegexError extends Error {}

type Node =
  | { readonly type: "set"; readonly set: readonly number[] }
  | { readonly type: "sequence" | "alternatives"; readonly nodes: readonly Node[] }
  | { readonly type: "repeat"; readonly node: Node; readonly min: number; readonly max: number; readonly kind: 0 | 1 | 2 }
  | { readonly type: "assertion"; readonly kind: number }
  | { readonly type: "look"; readonly kind: number; readonly node: Node }
  | { readonly type: "atomic"; readonly node: Node };

const [MATCH, SET, SPLIT, JUMP, RUN, ASSERTION, LOOK, ATOMIC] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const ASSERTIONS: Readonly<Record<string, number>> = { "^": 0, $: 1, A: 2, z: 3, Z: 4, b: 5, B: 6 };
const MAX_REPEATS = 1000;
const INFINITE = -1;

export function compileRegex(pattern: string): CompiledRegex {
  const node = new Parser(pattern).parse();
  const program: number[] = [];
  const sets: Int32Array[] = [];
  const known = new Map<string, number>();
  const setIndex = (set: readonly number[]): number => {
    const key = set.join();
    let index = known.get(key);
    if (index === undefined) {
      index = sets.push(Int32Array.from(set)) - 1;
      known.set(key, index);
    }
    return index;
  };
  emit(node, program, setIndex);
  program.push(MATCH);
  return { program: Int32Array.from(program), sets };
}

function emit(node: Node, out: number[], setIndex: (set: readonly number[]) => number): void {
  const sub = (child: Node) => emit(child, out, setIndex);
  switch (node.type) {
    case "set":
      out.push(SET, setIndex(node.set));
      break;
    case "sequence":
      node.nodes.forEach(sub);
      break;
    case "alternatives": {
      const ends: number[] = [];
      node.nodes.forEach((child, i) => {
        if (i === node.nodes.length - 1) {
          sub(child);
          return;
        }
        const split = out.length;
        out.push(SPLIT, split + 3, 0);
        sub(child);
        ends.push(out.push(JUMP, 0) - 1);
        out[split + 2] = out.length;
      });
      for (const end of ends) out[end] = out.length;
      break;
    }
    case "repeat":
      emitRepeat(node, out, setIndex);
      break;
    case "assertion":
      out.push(ASSERTION, node.kind);
      break;
    case "look": {
      const length = node.kind >= 2 ? fixedLength(node.node) : 0;
      if (length === undefined) throw new RegexError("look-behind of variable length");
      const at = out.length;
      out.push(LOOK, node.kind, length, 0);
      sub(node.node);
      out.push(MATCH);
      out[at + 3] = out.length;
      break;
    }
    case "atomic": {
      const at = out.length;
      out.push(ATOMIC, 0);
      sub(node.node);
      out.push(MATCH);
      out[at + 1] = out.length;
      break;
    }
  }
}

function emitRepeat(node: Node & { type: "repeat" }, out: number[], setIndex: (set: readonly number[]) => number): void {
  const { min, max, kind } = node;
  if (node.node.type === "set") {
    out.push(RUN, setIndex(node.node.set), min, max, kind);
    return;
  }
  if (kind === 2) {
    emit({ type: "atomic", node: { ...node, kind: 0 } }, out, setIndex);
    return;
  }
  if (max === INFINITE && canBeEmpty(node.node)) throw new RegexError("an unlimited repetition of what may be empty");
  for (let i = 0; i < min; i++) emit(node.node, out, setIndex);
  const choice = (): number => {
    const at = out.length;
    out.push(SPLIT, 0, 0);
    out[at + (kind === 0 ? 1 : 2)] = out.length;
    return at + (kind === 0 ? 2 : 1); // where the way out is to be written
  };
  if (max === INFINITE) {
    const begin = out.length;
    const exit = choice();
    emit(node.node, out, setIndex);
    out.push(JUMP, begin);
    out[exit] = out.length;
  } else {
    const exits: number[] = [];
    for (let i = min; i < max; i++) {
      exits.push(choice());
      emit(node.node, out, setIndex);
    }
    for (const exit of exits) out[exit] = out.length;
  }
}

function canBeEmpty(node: Node): boolean {
  switch (node.type) {
    case "set":
      return false;
    case "sequence":
      return node.nodes.every(canBeEmpty);
    case "alternatives":
      return node.nodes.some(canBeEmpty);
    case "repeat":
      return node.min === 0 || canBeEmpty(node.node);
    case "atomic":
      return canBeEmpty(node.node);
    default:
      return true;
  }
}

/** Number of characters that a node always matches; undefined when it varies. */
function fixedLength(node: Node): number | undefined {
  switch (node.type) {
    case "set":
      return 1;
    case "sequence": {
      let total = 0;
      for (const child of node.nodes) {
        const length = fixedLength(child);
        if (length === undefined) return undefined;
        total += length;
      }
      return total;
    }
    case "alternatives": {
      const lengths = new Set(node.nodes.map(fixedLength));
      return lengths.size === 1 ? [...lengths][0] : undefined;
    }
    case "repeat": {
      const length = fixedLength(node.node);
      return node.min === node.max && length !== undefined ? length * node.min : undefined;
    }
    case "atomic":
      return fixedLength(node.node);
    default:
      return 0;
  }
}

class Parser {
  private readonly chars: readonly string[];
  private at = 0;
  private ignoreCase = false;
  private dotAll = false;

  constructor(pattern: string) {
    this.chars = Array.from(pattern);
  }

  parse(): Node {
    const node = this.alternatives(0);
    if (this.at < this.chars.length) this.fail("an unmatched )");
    return node;
  }

  private fail(what: string): never {
    throw new RegexError(`${what} at character ${this.at + 1}`);
  }

  private take(text: string): boolean {
    if (
      !this.chars
        .slice(this.at, this.at + text.length)
        .join("")
        .startsWith(text)
    )
      return false;
    this.at += text.length;
    return true;
  }

  private alternatives(depth: number): Node {
    if (depth > 50) this.fail("groups nested more than 50 deep");
    const { ignoreCase, dotAll } = this;
    const nodes = [this.sequence(depth)];
    while (this.take("|")) nodes.push(this.sequence(depth));
    this.ignoreCase = ignoreCase;
    this.dotAll = dotAll;
    return nodes.length === 1 ? nodes[0]! : { type: "alternatives", nodes };
  }

  private sequence(depth: number): Node {
    const nodes: Node[] = [];
    while (this.at < this.chars.length && this.chars[this.at] !== "|" && this.chars[this.at] !== ")") {
      let node = this.atom(depth);
      if (node === undefined) continue;
      for (let quantified = this.quantifier(node); quantified; quantified = this.quantifier(node)) node = quantified;
      nodes.push(node);
    }
    return nodes.length === 1 ? nodes[0]! : { type: "sequence", nodes };
  }

  private quantifier(node: Node): Node | undefined {
    let min: number;
    let max: number;
    let counted = false;
    if (this.take("*")) [min, max] = [0, INFINITE];
    else if (this.take("+")) [min, max] = [1, INFINITE];
    else if (this.take("?")) [min, max] = [0, 1];
    else {
      const found = /^\{(\d*)(,?)(\d*)\}/.exec(this.chars.slice(this.at, this.at + 16).join(""));
      if (!found || (found[1] === "" && found[3] === "")) return undefined;
      counted = true;
      this.at += found[0].length;
      min = Number(found[1] || 0);
      max = found[2] === "" ? min : found[3] === "" ? INFINITE : Number(found[3]);
      if (max !== INFINITE && max < min) this.fail("a repetition whose maximum lies below its minimum");
      if (Math.max(min, max) > MAX_REPEATS) this.fail(`a repetition of more than ${MAX_REPEATS}`);
    }
    if (this.take("?")) return { type: "repeat", node, min, max, kind: 1 };
    // Ruby syntax: {n,m}+ repeats the repetition, it is not possessive.
    if (!counted && this.take("+")) return { type: "repeat", node, min, max, kind: 2 };
    return { type: "repeat", node, min, max, kind: 0 };
  }

  private atom(depth: number): Node | undefined {
    const char = this.chars[this.at]!;
    if (char === "(") return this.group(depth);
    if (char === "[") {
      const { set, end } = characterSet(this.chars, this.at, this.ignoreCase, (at, what) => {
        this.at = at;
        return this.fail(what);
      });
      this.at = end;
      return { type: "set", set };
    }
    this.at++;
    if (char === ".") return { type: "set", set: this.dotAll ? range(0, 0x10ffff) : negated(range(10, 10)) };
    if (char === "^" || char === "$") return { type: "assertion", kind: ASSERTIONS[char]! };
    if (char === "*" || char === "+" || char === "?") this.fail(`a ${char} without what it repeats`);
    if (char !== "\\") return this.literal(char.codePointAt(0)!);
    const letter = this.chars[this.at];
    if (letter !== undefined && letter in ASSERTIONS && letter !== "^" && letter !== "$") {
      this.at++;
      return { type: "assertion", kind: ASSERTIONS[letter]! };
    }
    const escaped = parseEscape(this.chars, this.at, (what) => this.fail(what));
    this.at = escaped.end;
    return escaped.point === undefined ? { type: "set", set: escaped.set } : this.literal(escaped.point);
  }

  private literal(point: number): Node {
    return { type: "set", set: this.ignoreCase ? foldedSet(point, point) : range(point, point) };
  }

  private group(depth: number): Node | undefined {
    this.at++;
    let wrap: (node: Node) => Node = (node) => node;
    if (this.take("?")) {
      if (this.take("=")) wrap = (node) => ({ type: "look", kind: 0, node });
      else if (this.take("!")) wrap = (node) => ({ type: "look", kind: 1, node });
      else if (this.take("<=")) wrap = (node) => ({ type: "look", kind: 2, node });
      else if (this.take("<!")) wrap = (node) => ({ type: "look", kind: 3, node });
      else if (this.take(">")) wrap = (node) => ({ type: "atomic", node });
      else if (!this.take(":")) return this.flags(depth);
    }
    const node = this.alternatives(depth + 1);
    if (!this.take(")")) this.fail("a group without )");
    return wrap(node);
  }

  /** (?i), (?m), (?i-m) for the rest of the group, or (?i:…) for a group of their own. */
  private flags(depth: number): Node | undefined {
    const before = { ignoreCase: this.ignoreCase, dotAll: this.dotAll };
    let on = true;
    for (;;) {
      if (this.take("-")) on = false;
      else if (this.take("i")) this.ignoreCase = on;
      else if (this.take("m")) this.dotAll = on;
      else break;
    }
    if (this.take(")")) return undefined;
    if (!this.take(":")) this.fail("an unsupported group");
    const node = this.alternatives(depth + 1);
    if (!this.take(")")) this.fail("a group without )");
    this.ignoreCase = before.ignoreCase;
    this.dotAll = before.dotAll;
    return node;
  }
}
