/** Methods and filters of Python that templates use and the engine lacks or takes for JavaScript's. All on plain values. */
import { trim, trimEnd } from "../../evaluate/text/whitespace.ts";
import { pythonText } from "./repr.ts";

export type TemplateFunction = (value: unknown, ...args: unknown[]) => unknown;

const text = (value: unknown): string => {
  if (typeof value !== "string") throw new Error(`expected a text, received ${pythonText(value)}`);
  return value;
};

/** Removes whitespace, or the characters of `characters`, from the ends. */
function strip(value: unknown, characters: unknown, ends: { start: boolean; end: boolean }): string {
  const given = text(value);
  if (characters === undefined || characters === null) {
    const shortened = ends.end ? trimEnd(given) : given;
    return ends.start ? trim(`${shortened}.`).slice(0, -1) : shortened;
  }
  const set = new Set(text(characters));
  const kept = [...given];
  while (ends.end && kept.length > 0 && set.has(kept.at(-1)!)) kept.pop();
  let start = 0;
  while (ends.start && start < kept.length && set.has(kept[start]!)) start++;
  return kept.slice(start).join("");
}

function index(value: unknown, item: unknown): number {
  const found = typeof value === "string" ? value.indexOf(text(item)) : (value as unknown[]).indexOf(item);
  if (found < 0) throw new Error(`${pythonText(item)} is not in ${pythonText(value).slice(0, 80)}`);
  return found;
}

function capitalize(value: unknown): string {
  const [first = "", ...rest] = text(value);
  return first.toUpperCase() + rest.join("").toLowerCase();
}

export const methods: Readonly<Record<string, TemplateFunction>> = {
  __proto__: null as never,
  strip: (value, characters) => strip(value, characters, { start: true, end: true }),
  lstrip: (value, characters) => strip(value, characters, { start: true, end: false }),
  rstrip: (value, characters) => strip(value, characters, { start: false, end: true }),
  capitalize,
  index,
  count: (value, item) =>
    typeof value === "string" ? value.split(text(item)).length - 1 : (value as unknown[]).filter((other) => other === item).length,
  join: (separator, items) => (items as unknown[]).map(text).join(text(separator)),
};

export const pythonFilters: Readonly<Record<string, TemplateFunction>> = {
  __proto__: null as never,
  trim: (value, characters) => strip(value, characters, { start: true, end: true }),
  capitalize,
  string: pythonText,
  join: (items, separator) => [...(items as Iterable<unknown>)].map(pythonText).join(separator === undefined ? "" : pythonText(separator)),
};
