/** From zod's issues to sentences with file, line, path and the nearest known field. */
import type { z } from "zod";
import { FieldError, type FieldErrorData, nearest, PerennialError } from "../errors.ts";
import { branches, fits, inWords, type JsonSchema, schemasAt } from "./json-schema.ts";
import { formatPath, type Path } from "./tree.ts";

/** All that is wrong with a recipe, one line each. */
export class RecipeError extends PerennialError {
  readonly problems: readonly FieldErrorData[];

  constructor(problems: readonly FieldErrorData[]) {
    super("RECIPE_INVALID", problems.map((problem) => new FieldError("RECIPE_FIELD", problem).message).join("\n"));
    this.problems = problems;
  }
}

/** `recipe.yaml:14` for a path; with a key, for that key in the map at the path. */
export type Locate = (path: Path, key?: string) => string;

export function problemsOf(issues: readonly z.core.$ZodIssue[], value: unknown, schema: JsonSchema, locate: Locate): FieldErrorData[] {
  const problems = issues.flatMap((issue) => problemOf(issue, [], value, schema, locate));
  // What a stage inherits from the recipe's own `train` is checked in both places, but written once.
  const seen = new Set<string>();
  return problems.filter(({ at, expected, received }) => {
    const id = JSON.stringify([at.split(" ")[0], at.split(".").at(-1), expected, received]);
    return seen.has(id) ? false : seen.add(id);
  });
}

function problemOf(issue: z.core.$ZodIssue, base: Path, value: unknown, schema: JsonSchema, locate: Locate): FieldErrorData[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const received = valueAt(value, path);
  const schemas = schemasAt(schema, path, value);
  const at = (key?: string) => `${locate(path, key)} ${formatPath(key === undefined ? path : [...path, key])}`;
  if (issue.code === "unrecognized_keys") {
    const known = schemas.flatMap((candidate) => branches(candidate)).filter((branch) => fits(branch, received));
    const names = [...new Set(known.flatMap(({ properties }) => Object.keys(properties ?? {})))];
    return issue.keys.map((key) => {
      const near = nearest(key, names);
      return {
        at: at(key),
        expected: "a known field",
        todo: near === undefined ? `known are ${names.join(", ")}` : `did you mean ${near}?`,
      };
    });
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The branch that accepts the value's type knows best what is wrong inside it.
    const inner = issue.errors.filter((errors) => !errors.some((error) => error.path.length === 0 && error.code === "invalid_type"));
    const deep = inner.filter((errors) => errors.some((error) => error.path.length > 0 || error.code === "unrecognized_keys"));
    if (deep.length === 1) return deep[0]!.flatMap((error) => problemOf(error, path, value, schema, locate));
  }
  if (received === undefined) {
    const parent = path.slice(0, -1);
    return [{ at: `${locate(parent)} ${formatPath(path)}`, expected: inWords(schemas), todo: "it is missing here" }];
  }
  const expected = issue.code === "custom" ? issue.message : inWords(schemas);
  return [{ at: at(), expected, received, ...suggestion(received, schemas) }];
}

function suggestion(received: unknown, schemas: readonly JsonSchema[]): { todo?: string } {
  const options = schemas.flatMap(branches);
  if (typeof received === "string") {
    const constants = options.flatMap((option) => (option.const !== undefined ? [option.const] : (option.enum ?? []))).map(String);
    const near = nearest(received, constants);
    return near === undefined ? {} : { todo: `did you mean ${near}?` };
  }
  const share = options.find(({ maximum, exclusiveMaximum }) => (maximum ?? exclusiveMaximum) === 1);
  if (share !== undefined && typeof received === "number" && received > 1 && received <= 100)
    return { todo: `shares are written as fractions: ${received / 100} for ${received} %` };
  return {};
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}
