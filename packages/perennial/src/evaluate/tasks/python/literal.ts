/**
 * `ast.literal_eval` of Python: lists, tuples, dictionaries, sets, texts, numbers, True, False and None, as templates print them.
 * Undefined where the text is none of these. Tuples and sets become lists.
 */
export function literalEval(source: string): unknown {
  const reader = new LiteralReader(source);
  try {
    const value = reader.value();
    reader.end();
    return value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

const NAMES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["True", true],
  ["False", false],
  ["None", null],
]);
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": "",
};

class LiteralReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  end(): void {
    if (this.take(/\s*/y) === undefined || this.at < this.text.length) throw new SyntaxError("more behind the value");
  }

  value(): unknown {
    this.take(/\s*/y);
    const character = this.text[this.at];
    if (character === "[") return this.items("]");
    if (character === "(") return this.items(")");
    if (character === "{") return this.braces();
    const name = this.take(/(?:True|False|None)\b/y);
    if (name !== undefined) return NAMES.get(name);
    const number = this.take(/[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y);
    if (number !== undefined) return Number(number.replaceAll("_", ""));
    let text: string | undefined;
    for (let part = this.string(); part !== undefined; part = this.string()) {
      text = (text ?? "") + part; // texts side by side are one
      this.take(/\s*/y);
    }
    if (text === undefined) throw new SyntaxError("no literal");
    return text;
  }

  private items(close: string): unknown[] {
    this.at++;
    const values: unknown[] = [];
    for (;;) {
      this.take(/\s*/y);
      if (this.text[this.at] === close) break;
      values.push(this.value());
      this.separator(close);
    }
    this.at++;
    return values;
  }

  private braces(): unknown {
    this.at++;
    const entries: [string, unknown][] = [];
    const members: unknown[] = [];
    for (;;) {
      this.take(/\s*/y);
      if (this.text[this.at] === "}") break;
      const key = this.value();
      if (this.take(/\s*:/y) === undefined) members.push(key);
      else entries.push([String(key), this.value()]);
      this.separator("}");
    }
    this.at++;
    return members.length > 0 ? members : Object.fromEntries(entries);
  }

  private separator(close: string): void {
    if (this.take(/\s*,/y) !== undefined) return;
    this.take(/\s*/y);
    if (this.text[this.at] !== close) throw new SyntaxError(`no comma and no ${close}`);
  }

  private string(): string | undefined {
    const opening = this.take(/[uU]?(?:'''|"""|'|")/y);
    if (opening === undefined) return undefined;
    const quote = opening.replace(/^[uU]/, "");
    let value = "";
    while (!this.text.startsWith(quote, this.at)) {
      const character = this.text[this.at++];
      if (character === undefined || (character === "\n" && quote.length === 1)) throw new SyntaxError("a text without an end");
      value += character === "\\" ? this.escape() : character;
    }
    this.at += quote.length;
    return value;
  }

  private escape(): string {
    const hex = this.take(/x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}/y);
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex.slice(1), 16));
    const octal = this.take(/[0-7]{1,3}/y);
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const character = this.text[this.at++] ?? "";
    return ESCAPES[character] ?? `\\${character}`;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }
}
