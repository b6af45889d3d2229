/** A schedule by itself, without a recipe around it: to be looked at. Its mistakes are told as those of a recipe. */
import { type Document, isMap, LineCounter, parseDocument } from "yaml";
import type { FieldErrorData } from "../errors.ts";
import { type ScheduleSpec, scheduleSchema } from "../train/schedule/index.ts";
import { applyFlags } from "./flags.ts";
import { recipeJsonSchema } from "./json-schema.ts";
import { problemsOf, RecipeError } from "./problems.ts";
import type { ResolveOptions } from "./resolve.ts";
import { Origins, type Tree } from "./tree.ts";

/** The schedule in `text` (YAML), or undefined when it is something else, e.g. a whole recipe. `where` names it in errors. */
export function bareSchedule(text: string, where: string, { set = [] }: ResolveOptions = {}): ScheduleSpec | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false }) as Document.Parsed & Tree;
  if (document.errors.length > 0 || !isMap(document.contents) || !document.contents.has("schedule")) return undefined;
  const origins = new Origins(where, lines);
  const problems: FieldErrorData[] = [];
  applyFlags(document, set, origins, problems);
  const value: unknown = document.toJS();
  const parsed = scheduleSchema.safeParse(value);
  const { schedule } = recipeJsonSchema().properties!.train!.properties!;
  if (!parsed.success)
    problems.push(...problemsOf(parsed.error.issues, value, schedule!, (path, key) => origins.at(document.contents, path, document, key)));
  if (problems.length > 0) throw new RecipeError(problems);
  return value as ScheduleSpec;
}
