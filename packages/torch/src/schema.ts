/** Reads an operator's schema as libtorch prints it: `aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, …) -> Tensor`. */

export interface Argument {
  /** As in the schema, snake_case. */
  readonly name: string;
  /** The same in camelCase: the name of the option in TypeScript. */
  readonly option: string;
  /** The type without alias annotations, e.g. `Tensor`, `int[1]?`, `SymInt[]`. */
  readonly type: string;
  readonly hasDefault: boolean;
  /** The default as the schema writes it, e.g. `1.0000000000000001e-05`. */
  readonly defaultText: string | undefined;
  readonly keywordOnly: boolean;
  /** Written by the operator: `Tensor(a!)`. */
  readonly written: boolean;
}

export interface Schema {
  /** With its namespace: `aten::sum`. */
  readonly name: string;
  /** `dim_IntList`, or the empty string. */
  readonly overload: string;
  readonly arguments: readonly Argument[];
  /** Types of the results, with their names where the schema has them. */
  readonly returns: readonly { readonly type: string; readonly name: string | undefined }[];
  readonly text: string;
}

export function camelCase(name: string): string {
  const leading = /^_*/.exec(name)![0];
  const trailing = name.length > leading.length ? /_*$/.exec(name)![0] : "";
  const core = name.slice(leading.length, name.length - trailing.length);
  return leading + core.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) + trailing;
}

export function parseSchema(text: string): Schema {
  const open = text.indexOf("(");
  const [name, overload = ""] = splitOnce(text.slice(0, open), ".", text.indexOf("::"));
  const close = matching(text, open);
  const list: Argument[] = [];
  let keywordOnly = false;
  for (const part of splitTop(text.slice(open + 1, close))) {
    if (part === "*") keywordOnly = true;
    else if (part !== "...") list.push(parseArgument(part, keywordOnly));
  }
  const result = text.slice(close + 1).replace(/^\s*->\s*/, "");
  return { name, overload, arguments: list, returns: parseReturns(result), text };
}

function parseArgument(part: string, keywordOnly: boolean): Argument {
  const match = /^(.*\S)\s+([A-Za-z_]\w*)(?:=(.*))?$/s.exec(beforeDefault(part));
  if (match === null) throw new Error(`cannot read the argument "${part}" of a schema`);
  const equals = defaultAt(part);
  const defaultText = equals < 0 ? undefined : part.slice(equals + 1);
  const type = match[1]!;
  return {
    name: match[2]!,
    option: camelCase(match[2]!),
    type: type.replace(/\([^)]*\)/g, ""),
    hasDefault: equals >= 0,
    defaultText,
    keywordOnly,
    written: type.includes("!"),
  };
}

const beforeDefault = (part: string) => {
  const equals = defaultAt(part);
  return equals < 0 ? part : part.slice(0, equals);
};

function defaultAt(part: string): number {
  let depth = 0;
  for (let i = 0; i < part.length; i++) {
    if (part[i] === "(" || part[i] === "[") depth++;
    else if (part[i] === ")" || part[i] === "]") depth--;
    else if (part[i] === "=" && depth === 0) return i;
  }
  return -1;
}

function parseReturns(text: string): { type: string; name: string | undefined }[] {
  const trimmed = text.trim();
  const inner = trimmed.startsWith("(") && matching(trimmed, 0) === trimmed.length - 1 ? trimmed.slice(1, -1) : trimmed;
  return splitTop(inner).map((part) => {
    const match = /^(\S+(?:\([^)]*\))?\S*)(?:\s+([A-Za-z_]\w*))?$/.exec(part.replace(/\([^)]*\)/g, ""));
    return { type: (match?.[1] ?? part).trim(), name: match?.[2] };
  });
}

function splitOnce(text: string, separator: string, from: number): [string, string?] {
  const at = text.indexOf(separator, Math.max(from, 0));
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (i === text.length || (c === "," && depth === 0 && !quoted)) {
      const part = text.slice(start, i).trim();
      if (part !== "") parts.push(part);
      start = i + 1;
    } else if (c === '"') quoted = !quoted;
    else if (c === "(" || c === "[") depth++;
    else if (c === ")" || c === "]") depth--;
  }
  return parts;
}

function matching(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return i;
  }
  return text.length;
}

/** Element types of arguments that have a counterpart in TypeScript. */
const PASSABLE = new Set([
  "Tensor",
  "int",
  "SymInt",
  "float",
  "Scalar",
  "bool",
  "SymBool",
  "complex",
  "str",
  "ScalarType",
  "Device",
  "Layout",
  "MemoryFormat",
  "Generator",
  "Storage",
]);

/** Whether TypeScript has values for a schema type: lists of lists and custom classes have none. */
export function canPass(type: string): boolean {
  const element = type.replace(/(\?|\[\d*\])+$/, "");
  return PASSABLE.has(element) && !/\]\??\[/.test(type);
}

/** The argument for which nothing can be passed from TypeScript, so that the overload cannot be called; undefined when it can. */
export const unreachableArgument = (schema: Schema): Argument | undefined =>
  schema.arguments.find((argument) => !canPass(argument.type) && !argument.hasDefault);
