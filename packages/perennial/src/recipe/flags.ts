/** Overrides from the command line, `--set path=value`: put into the tree, so that what is wrong with them is told with their name. */
import { Document, type Node, parseDocument } from "yaml";
import type { FieldErrorData } from "../errors.ts";
import { type Origins, parsePath, setAt, type Tree } from "./tree.ts";

export function applyFlags(document: Tree, set: readonly string[], origins: Origins, problems: FieldErrorData[]): void {
  for (const flag of set) {
    const origin = `--set ${flag}`;
    const equals = flag.indexOf("=");
    if (equals < 1) {
      problems.push({ at: origin, expected: "path=value, e.g. train.tokens=2M" });
      continue;
    }
    const value = parseDocument(flag.slice(equals + 1)).contents ?? new Document(null).contents;
    if (value === null) continue;
    origins.mark(value as Node, origin);
    note(problems, setAt(document.contents as Node, parsePath(flag.slice(0, equals)), value as Node, origin));
  }
}

export function note(problems: FieldErrorData[], problem: FieldErrorData | undefined): void {
  if (problem !== undefined) problems.push(problem);
}
