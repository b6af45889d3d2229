/** From YAML, or the same object, to a plan; mistakes are told with file, line and field, as those of a recipe. */
import { readFileSync } from "node:fs";
import { Document, isMap, LineCounter, type Node, parseDocument } from "yaml";
import { z } from "zod";
import { FieldError, type FieldErrorData } from "../errors.ts";
import type { JsonSchema } from "../recipe/json-schema.ts";
import { problemsOf, RecipeError } from "../recipe/problems.ts";
import { applyFlags, type ResolveOptions } from "../recipe/resolve.ts";
import { Origins, type Tree } from "../recipe/tree.ts";
import { type PlanFile, type PlanFileSpec, planFileSchema } from "./schema.ts";

export function loadPlan(path: string, options: ResolveOptions = {}): PlanFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new FieldError(
      missing ? "PLAN_MISSING" : "PLAN_UNREADABLE",
      {
        at: path,
        expected: "a plan",
        todo: missing ? "write one, or give --model, --domain, --general and --tokens" : (error as Error).message,
      },
      { cause: error },
    );
  }
  return parsePlan(text, path, options);
}

export const resolvePlan = (spec: PlanFileSpec, options: ResolveOptions = {}): PlanFile =>
  parsePlan(new Document(spec).toString(), "plan", options);

export const planJsonSchema = (): JsonSchema =>
  z.toJSONSchema(planFileSchema, { io: "input", target: "draft-7", reused: "inline" }) as JsonSchema;

function parsePlan(text: string, file: string, { set = [] }: ResolveOptions): PlanFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false }) as Document.Parsed & Tree;
  if (document.errors.length > 0)
    throw new RecipeError(
      document.errors.map((error) => ({ at: `${file}:${lines.linePos(error.pos[0]).line}`, expected: "valid YAML", todo: error.message })),
    );
  if (!isMap(document.contents))
    throw new RecipeError([{ at: file, expected: "a plan: a map with model, corpora.domain, corpora.general and tokens" }]);
  const origins = new Origins(file, lines);
  const problems: FieldErrorData[] = [];
  applyFlags(document, set, origins, problems);
  const value: unknown = document.toJS();
  const locate = (path: readonly (string | number)[], key?: string) => origins.at(document.contents as Node, path, document, key);
  const parsed = planFileSchema.safeParse(value);
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, value, planJsonSchema(), locate));
  else
    for (const corpus of ["domain", "general"] as const)
      if (parsed.data.corpora[corpus].heldOut === "none")
        problems.push({
          at: `${locate(["corpora", corpus, "heldOut"])} corpora.${corpus}.heldOut`,
          expected: "held-out text",
          received: "none",
          todo: "the laws are fitted to held-out losses: write a share, bytes or a path",
        });
  if (problems.length > 0) throw new RecipeError(problems);
  const plan = parsed.data!;
  return { ...plan, output: plan.output ?? `plans/${plan.name}` };
}
