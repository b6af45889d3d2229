/** The recipe of a merge from a YAML file, or from options that say the same. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { FieldError } from "../../errors.ts";
import { type Merge, mergeSchema } from "./schema.ts";

export function loadMerge(path: string): Merge {
  let written: unknown;
  try {
    written = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new FieldError(
      "MERGE_RECIPE",
      { at: path, expected: "a YAML file that says what to merge", todo: (error as Error).message.split(",")[0]!.split("\n")[0]! },
      { cause: error },
    );
  }
  return checkMerge(written, path);
}

/** `at` names the origin in errors. */
export function checkMerge(written: unknown, at: string): Merge {
  const checked = mergeSchema.safeParse(written);
  if (checked.success) return checked.data;
  const { path, message } = checked.error.issues[0]!;
  throw new FieldError("MERGE_RECIPE", {
    at: [at, path.join(".")].join(" ").trim(),
    expected: message.replace(/^(Invalid|Too) \w+: expected /, ""),
  });
}
