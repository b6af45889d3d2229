/**
 * Writes packages/torch/src/generated/: the typed face of libtorch's operators, from the schemas of the libtorch in use.
 * Also packages/torch/operators.csv, the ledger: one row for each operator of the dispatcher, none without a verdict.
 * Run `npm run generate` with the pinned version; the output is committed and reproduced byte for byte (`--check`).
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Tensor } from "../packages/torch/src/index.ts";
import { native } from "../packages/torch/src/native.ts";
import { operatorDocs } from "../packages/torch/src/operator-docs.ts";
import { type Argument, camelCase, parseSchema, type Schema } from "../packages/torch/src/schema.ts";
import { unsafeOperators } from "../packages/torch/src/unsafe-operators.ts";

const folder = new URL("../packages/torch/src/generated/", import.meta.url);

/** The folder of the ledger: what became of every operator. */
const packageFolder = new URL("../packages/torch/", import.meta.url);
/** `--check` compares with the committed files and writes nothing. */
const checking = process.argv.includes("--check");

/** Members of Tensor that are written by hand. */
const HANDWRITTEN_METHODS = new Set([
  "to",
  "item",
  "backward",
  "requires_grad_",
  "retain_grad",
  "is_leaf",
  "equal",
  "data",
  "size",
  "stride",
  "dim",
  "numel",
  "register_hook",
  "storage_offset",
  "is_contiguous",
  "set_data",
  "output_nr",
  "_version",
  "rename",
  "rename_",
  "align_to",
  "align_as",
  "refine_names",
  "names",
]);
/** Functions of `torch` that are written by hand. */
const HANDWRITTEN_FUNCTIONS = new Set(["tensor", "from_file", "manual_seed", "is_grad_enabled", "numel", "seed", "initial_seed"]);
const RESERVED = new Set([
  "self",
  "function",
  "default",
  "in",
  "new",
  "with",
  "this",
  "delete",
  "arguments",
  "eval",
  "interface",
  "package",
  "var",
  "return",
  "class",
  "static",
]);

const parameterName = (argument: Argument) => (RESERVED.has(argument.option) ? `${argument.option}_` : argument.option);

function typeOf(type: string): string | undefined {
  if (type.endsWith("?")) {
    const inner = typeOf(type.slice(0, -1));
    return inner === undefined ? undefined : `${inner} | null`;
  }
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list !== null) {
    const inner = typeOf(list[1]!);
    if (inner === undefined) return undefined;
    const array = `readonly ${/[ |]/.test(inner) ? `(${inner})` : inner}[]`;
    return list[2] === "" || list[1] === "Tensor" ? array : `${inner} | ${array}`;
  }
  return (
    {
      Tensor: "Tensor",
      int: "Int",
      SymInt: "Int",
      float: "number",
      Scalar: "Scalar",
      bool: "boolean",
      SymBool: "boolean",
      complex: "number | Complex",
      str: "string",
      ScalarType: "Dtype",
      Device: "Device",
      Layout: "Layout",
      MemoryFormat: "MemoryFormat",
      Generator: "Generator",
      Storage: "Tensor",
    } as Record<string, string>
  )[type];
}

function returnTypeOf(type: string): string {
  if (type.endsWith("?")) return `${returnTypeOf(type.slice(0, -1))} | null`;
  const list = /^(.*)\[\d*\]$/.exec(type);
  if (list !== null) return `${returnTypeOf(list[1]!)}[]`.replace(/^(.* \| .*)\[\]$/, "($1)[]");
  return (
    (
      {
        Tensor: "Tensor",
        int: "number",
        SymInt: "number",
        float: "number",
        bool: "boolean",
        str: "string",
        Scalar: "number | boolean",
        ScalarType: "Dtype",
        Device: "Device",
        complex: "Complex",
      } as Record<string, string>
    )[type] ?? "unknown"
  );
}

function returnsOf(schema: Schema): string {
  if (schema.returns.length === 0) return "void";
  if (schema.returns.length === 1) return returnTypeOf(schema.returns[0]!.type);
  return `[${schema.returns.map((result, i) => `${result.name ?? `result${i}`}: ${returnTypeOf(result.type)}`).join(", ")}]`;
}

const isOut = (schema: Schema) => schema.arguments.some((argument) => argument.written && argument.keywordOnly);

/** The signatures through which one overload can be called; `self` is left out for methods. */
function signatures(name: string, schema: Schema, method: boolean): string[] {
  const selfName = schema.arguments.some((argument) => argument.name === "self") ? "self" : schema.arguments[0]?.name;
  const all = method ? schema.arguments.filter((argument) => argument.name !== selfName) : schema.arguments;
  if (all.some((argument) => typeOf(argument.type) === undefined)) return [];
  const optional = (argument: Argument) => argument.hasDefault || argument.type.endsWith("?");
  const positional = all.filter((argument) => !argument.keywordOnly);
  // A required argument after an optional one makes all before it required.
  const lastRequired = positional.findLastIndex((argument) => !argument.hasDefault);
  const required = positional.slice(0, lastRequired + 1);
  const rest = positional.slice(lastRequired + 1);
  const keyword = all.filter((argument) => argument.keywordOnly);
  const written = (argument: Argument, mark: string) => `${parameterName(argument)}${mark}: ${typeOf(argument.type)}`;
  const field = (argument: Argument) =>
    `${argument.option}${optional(argument) ? "?" : ""}: ${typeOf(argument.type)}${optional(argument) ? " | undefined" : ""}`;
  const optionsOf = (list: readonly Argument[]) =>
    list.length === 0 ? [] : [`options${list.some((argument) => !optional(argument)) ? "" : "?"}: { ${list.map(field).join("; ")} }`];
  const result = returnsOf(schema);
  const heads = required.map((argument) => written(argument, ""));
  const lines = [`${name}(${[...heads, ...optionsOf([...rest, ...keyword])].join(", ")}): ${result};`];
  if (rest.length > 0) {
    const tail = keyword.some((argument) => !optional(argument)) ? [] : optionsOf(keyword);
    if (tail.length > 0 || keyword.length === 0)
      lines.push(`${name}(${[...heads, ...rest.map((argument) => written(argument, "?")), ...tail].join(", ")}): ${result};`);
  }
  // x.sum({ dim: [1] }): everything by name, where no tensor is among the required.
  if (method && required.length > 0 && required.every((argument) => !argument.type.startsWith("Tensor")))
    lines.push(`${name}(options: { ${all.map(field).join("; ")} }): ${result};`);
  return [...new Set(lines)];
}

function comment(name: string, schemas: readonly Schema[], indent: string): string {
  const doc = operatorDocs[name];
  const lines = [...(doc === undefined ? [] : doc.split("\n")), ...schemas.map((schema) => `\`${schema.text.replaceAll("*/", "* /")}\``)];
  return lines.length === 1
    ? `${indent}/** ${lines[0]} */`
    : `${indent}/**\n${lines.map((line) => `${indent} * ${line}`).join("\n")}\n${indent} */`;
}

const schemas = native
  .schemas()
  .map(parseSchema)
  .filter((schema) => schema.name.startsWith("aten::"));
const byName = new Map<string, Schema[]>();
for (const schema of schemas) {
  const name = schema.name.slice("aten::".length);
  byName.set(name, [...(byName.get(name) ?? []), schema]);
}
const order = (schema: Schema) => (schema.overload === "" ? 0 : schema.overload.startsWith("Tensor") ? 1 : 2);
for (const list of byName.values()) list.sort((a, b) => order(a) - order(b) || (a.overload < b.overload ? -1 : 1));
const names = [...byName.keys()].sort();

const isMethod = (name: string) =>
  !name.startsWith("_") &&
  !HANDWRITTEN_METHODS.has(name) &&
  !name.endsWith("_backward") &&
  byName.get(name)!.some((schema) => schema.arguments.some((argument) => argument.name === "self" && argument.type === "Tensor"));

const functions: string[] = [];
const methods: string[] = [];
const functionNames: string[] = [];
const methodNames: string[] = [];
for (const name of names) {
  const list = byName.get(name)!;
  const plain = list.filter((schema) => !isOut(schema));
  const used = plain.length > 0 ? plain : list;
  if (!HANDWRITTEN_FUNCTIONS.has(name)) {
    const lines = [...new Set(used.flatMap((schema) => signatures(camelCase(name), schema, false)))];
    const out = list
      .filter(isOut)
      .flatMap((schema) => signatures(camelCase(name), schema, false))
      .slice(0, plain.length > 0 ? 1 : 0);
    if (lines.length > 0) {
      functionNames.push(name);
      functions.push(comment(name, used, "  "), ...[...lines, ...out.filter((line) => !lines.includes(line))].map((line) => `  ${line}`));
    }
  }
  if (isMethod(name)) {
    const lines = [
      ...new Set(
        plain
          .filter((schema) => schema.arguments.some((argument) => argument.name === "self" && argument.type === "Tensor"))
          .flatMap((schema) => signatures(camelCase(name), schema, true)),
      ),
    ];
    if (lines.length > 0) {
      methodNames.push(name);
      methods.push(comment(name, used, "    "), ...lines.map((line) => `    ${line}`));
    }
  }
}

const header = `// Generated by tools/generate-operators.ts from libtorch ${native.describeLibrary().version}; do not edit.\n`;
const imports = `import type { Generator } from "../call.ts";\nimport type { Complex, Device, Dtype, Layout, MemoryFormat, Scalar } from "../dtype.ts";\n`;
const wrapped = (list: readonly string[]) => list.join(" ").replace(/(.{100,130}) /g, "$1 \\\n");

/** Types that a schema may hold and TypeScript has no value for, in any overload; undefined when one overload is callable. */
function obstacle(list: readonly Schema[]): string | undefined {
  const blocked = list.map((schema) => schema.arguments.find((argument) => typeOf(argument.type) === undefined));
  return blocked.includes(undefined) ? undefined : `its argument ${blocked[0]!.name} is ${blocked[0]!.type}`;
}

function verdict(name: string, list: readonly Schema[]): [verdict: string, detail: string] {
  const short = name.replace("aten::", "");
  const unsafe = unsafeOperators[name];
  if (unsafe !== undefined) return ["refused", unsafe];
  const uncallable = obstacle(list);
  if (uncallable !== undefined) return ["not exposed", `${uncallable}, which has no counterpart in TypeScript`];
  if (name.startsWith("aten::")) {
    const faces = [
      ...(functionNames.includes(short) ? [`torch.${camelCase(short)}`] : []),
      ...(methodNames.includes(short) ? [`Tensor.${camelCase(short)}`] : []),
    ];
    if (HANDWRITTEN_METHODS.has(short) && isWrittenByHand(short)) return ["hand-written", ["Tensor", camelCase(short)].join(".")];
    if (faces.length > 0)
      return [faces.length === 2 ? "function and method" : faces[0]!.startsWith("T") ? "method" : "function", faces.join(" ")];
  }
  return ["by name", `callOperator("${name}")`];
}

/** Whether the member is there: names, for one, are deliberately left to callOperator. */
const isWrittenByHand = (name: string) => camelCase(name) in Tensor.prototype || name in Tensor.prototype;

function ledger(): string {
  const all = new Map<string, Schema[]>();
  for (const schema of native.schemas().map(parseSchema))
    if (!schema.name.startsWith("perennial::")) all.set(schema.name, [...(all.get(schema.name) ?? []), schema]);
  const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = [...all.keys()]
    .sort()
    .map((name) => [name, String(all.get(name)!.length), ...verdict(name, all.get(name)!)].map(quoted).join(","));
  return `operator,overloads,verdict,detail\n${rows.join("\n")}\n`;
}

const files: [URL, string][] = [
  [
    new URL("functions.ts", folder),
    `${header}${imports}import type { Tensor } from "../tensor.ts";\n\n/** An integer; a bigint where it is beyond 2^53. */\nexport type Int = number | bigint;\n\n/** Every operator of libtorch's \`aten\` namespace as a function. */\nexport interface Functions {\n${functions.join("\n")}\n}\n`,
  ],
  [
    new URL("methods.ts", folder),
    `${header}${imports}import type { Int } from "./functions.ts";\n\ndeclare module "../tensor.ts" {\n  interface Tensor {\n${methods.join("\n")}\n  }\n}\n`,
  ],
  [
    new URL("names.ts", folder),
    `${header}\n/** Names in the dispatcher, without \`aten::\`. */\nexport const functionNames = "\\\n${wrapped(functionNames)}";\nexport const methodNames = "\\\n${wrapped(methodNames)}";\n`,
  ],
  [new URL("operators.csv", packageFolder), ledger()],
];
mkdirSync(folder, { recursive: true });
for (const [file, text] of files) {
  if (!checking) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${file.pathname} is stale; run npm run generate`);
    process.exitCode = 1;
  }
}
console.log(
  `${functionNames.length} functions and ${methodNames.length} methods from ${schemas.length} schemas of libtorch ${native.describeLibrary().version}`,
);
