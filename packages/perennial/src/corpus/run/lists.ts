/** Lists in files: an entry `@PATH` of a list of texts stands for the lines of that file, plain or gzip. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { FieldError } from "../../errors.ts";
import { parseList } from "../filter/index.ts";
import type { CorpusRecipe } from "./recipe.ts";

/** The parts of a recipe that may hold such entries. */
const withLists = ({ urls, filters }: CorpusRecipe) => [urls, filters];

export function readListFile(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
  } catch (cause) {
    throw new FieldError("CORPUS_LIST", { at: path, expected: "a list, one entry a line", todo: (cause as Error).message }, { cause });
  }
}

/** A copy of `value` in which every entry `@PATH` of an array is replaced by the lines of the file. */
export function expandLists<T>(value: T, read: (path: string) => string = readListFile): T {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value)
      if (typeof item === "string" && item.startsWith("@")) for (const line of parseList(read(item.slice(1)))) items.push(line);
      else items.push(expandLists(item, read));
    return items as T;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expandLists(inner, read)])) as T;
}

/** The same with each path replaced, e.g. by an absolute one. */
export function mapListPaths<T>(value: T, change: (path: string) => string): T {
  if (typeof value === "string") return value.startsWith("@") ? (`@${change(value.slice(1))}` as T) : value;
  if (Array.isArray(value)) return value.map((item) => mapListPaths(item as unknown, change)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapListPaths(inner as unknown, change)])) as T;
}

/** SHA-256 of each list and each file of thresholds, so that a resumed run does not mix two versions of one. */
export function hashLists(recipe: CorpusRecipe): Record<string, string> {
  const paths = new Set<string>();
  mapListPaths(withLists(recipe), (path) => {
    paths.add(path);
    return path;
  });
  for (const given of recipe.thresholds.given) if (typeof given === "string") paths.add(given);
  if (recipe.score?.medians !== undefined) paths.add(recipe.score.medians);
  return Object.fromEntries([...paths].sort().map((path) => [path, createHash("sha256").update(readListFile(path)).digest("hex")]));
}
