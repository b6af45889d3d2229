/** Task files as lm-evaluation-harness reads them: YAML 1.1 with `include`, each field with the file and line where it was written. */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { FieldError } from "../../errors.ts";

/** Fields of a task or group, with those of its includes below its own. */
export interface TaskYaml {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Path of the file itself. */
  readonly file: string;
  /** `file:line field` of where the field was written. */
  at(field: string): string;
  /** Folder of the file in which the field was written: relative paths begin there. */
  folderOf(field: string): string;
}

/** Reads a file and what it includes. Refuses `!function`, which runs code. */
export function readTaskYaml(file: string, seen: readonly string[] = []): TaskYaml {
  if (seen.includes(file))
    throw new FieldError("TASK_INCLUDE", { at: `${file} include`, expected: "no circle of includes", received: [...seen, file] });
  const { fields, lines } = parseFile(file);
  const places = new Map<string, { place: string; folder: string }>();
  for (const [field, line] of lines) places.set(field, { place: `${file}:${line}`, folder: dirname(file) });
  const { include, ...own } = fields;
  const merged: Record<string, unknown> = {};
  const inherited = new Map<string, { place: string; folder: string }>();
  for (const path of include === undefined ? [] : Array.isArray(include) ? include : [include]) {
    if (typeof path !== "string")
      throw new FieldError("TASK_INCLUDE", {
        at: `${places.get("include")?.place} include`,
        expected: "the path of a YAML file",
        received: path,
      });
    const included = readTaskYaml(isAbsolute(path) ? path : resolve(dirname(file), path), [...seen, file]);
    for (const [field, value] of Object.entries(included.fields)) {
      merged[field] = value;
      inherited.set(field, { place: included.at(field).split(" ")[0]!, folder: included.folderOf(field) });
    }
  }
  const place = (field: string) => (field in own ? places.get(field) : inherited.get(field)) ?? { place: file, folder: dirname(file) };
  return {
    fields: { ...merged, ...own },
    file,
    at: (field) => `${place(field.split(/[.[]/)[0]!).place} ${field}`,
    folderOf: (field) => place(field).folder,
  };
}

function parseFile(file: string): { fields: Record<string, unknown>; lines: Map<string, number> } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new FieldError("TASK_MISSING", { at: file, expected: "a task file", todo: "check the path" }, { cause });
  }
  const counter = new LineCounter();
  const document = parseDocument(text, { version: "1.1", lineCounter: counter, merge: true, logLevel: "silent" });
  const lineOf = (offset: number | undefined) => counter.linePos(offset ?? 0).line;
  visit(document, {
    Node(_, node) {
      if (node.tag !== "!function") return;
      throw new FieldError("TASK_FUNCTION", {
        at: `${file}:${lineOf(node.range?.[0])}`,
        expected: "a field name, a template or a list; !function runs Python code and is refused",
        received: isScalar(node) ? node.value : node.tag,
        todo: "write it as a Jinja template, or run it once over the data and save the result as JSONL",
      });
    },
  });
  const [error] = document.errors;
  if (error !== undefined)
    throw new FieldError("TASK_YAML", {
      at: `${file}:${lineOf(error.pos[0])}`,
      expected: `YAML (${error.message.split("\n")[0]!.replace(/ at line.*$/, "")})`,
    });
  if (!isMap(document.contents))
    throw new FieldError("TASK_YAML", { at: file, expected: "fields such as `task:`", received: document.toJS() });
  const lines = new Map<string, number>();
  for (const { key } of document.contents.items) if (isScalar(key)) lines.set(String(key.value), lineOf(key.range?.[0]));
  return { fields: document.toJS({ maxAliasCount: 1000 }) as Record<string, unknown>, lines };
}
