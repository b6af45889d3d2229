/** From what a person wrote to what code reads: YAML or an object → overrides → inheritance → schema → one complete recipe per variant. */
import { readFileSync } from "node:fs";
import { Document, isMap, isSeq, LineCounter, type Node, parseDocument, YAMLMap } from "yaml";
import { FieldError, type FieldErrorData } from "../errors.ts";
import { applyFlags, note } from "./flags.ts";
import { recipeJsonSchema } from "./json-schema.ts";
import { type Locate, problemsOf, RecipeError } from "./problems.ts";
import { referenceProblems } from "./references.ts";
import { type Recipe, type RecipeSpec, recipeSchema } from "./schema.ts";
import { inherit, Origins, parsePath, setAt, type Tree } from "./tree.ts";

export { applyFlags } from "./flags.ts";

export interface ResolvedRecipe {
  /** The recipe as written. */
  text: string;
  /** The main variant first, then the baselines. */
  variants: [Recipe, ...Recipe[]];
}

export interface ResolveOptions {
  /** `train.tokens=2M`: applied to all variants, before what a baseline changes. */
  set?: readonly string[];
}

export function loadRecipe(path: string, options: ResolveOptions = {}): ResolvedRecipe {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new FieldError(
      missing ? "RECIPE_MISSING" : "RECIPE_UNREADABLE",
      { at: path, expected: "a recipe", todo: missing ? "`perennial init` writes one" : (error as Error).message },
      { cause: error },
    );
  }
  return resolveText(text, path, options);
}

/** The TypeScript API takes the same object that YAML describes. */
export function resolveRecipe(spec: RecipeSpec, options: ResolveOptions = {}): ResolvedRecipe {
  return resolveText(new Document(spec).toString(), "recipe", options);
}

export function resolveText(text: string, file: string, { set = [] }: ResolveOptions = {}): ResolvedRecipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  if (document.errors.length > 0)
    throw new RecipeError(
      document.errors.map((error) => ({ at: `${file}:${lines.linePos(error.pos[0]).line}`, expected: "valid YAML", todo: error.message })),
    );
  const origins = new Origins(file, lines);
  if (!isMap(document.contents)) throw new RecipeError([{ at: file, expected: "a recipe: a map with name, model, corpora and stages" }]);

  const problems: FieldErrorData[] = [];
  applyFlags(document, set, origins, problems);
  const main = variant(document, "main", origins, problems);
  const baselines = baselinesOf(document, origins).map(({ name, changes }) => {
    const changed = document.clone();
    for (const { path, value, where } of changes) note(problems, setAt(changed.contents as Node, parsePath(path), value, where));
    return variant(changed as Tree, name, origins, problems);
  });
  const trunks = [main, ...baselines].filter((recipe) => recipe !== undefined);
  const branches = main === undefined ? [] : branchesOf(document, trunks);
  const variants = [...trunks, ...branches];
  if (problems.length > 0 || variants.length === 0) throw new RecipeError(unique(problems));
  return { text, variants: variants as [Recipe, ...Recipe[]] };
}

/** What is wrong with a branch is among the problems of the main variant, which sees the whole recipe. */
function branchesOf(document: Tree, trunks: readonly Recipe[]): Recipe[] {
  const written = (document.toJS() as { branches?: unknown }).branches;
  const parsed = recipeSchema.shape.branches.safeParse(written);
  if (!parsed.success) return [];
  return parsed.data.flatMap(({ name, ...branch }) => {
    const trunk = trunks.find(({ variant }) => variant === branch.from);
    return trunk === undefined ? [] : [{ ...trunk, variant: name, branch }];
  });
}

interface Change {
  path: string;
  value: Node;
  where: string;
}

function baselinesOf(document: Tree, origins: Origins): { name: string; changes: Change[] }[] {
  const list = (document.contents as YAMLMap).get("baselines", true);
  if (!isSeq(list)) return [];
  return list.items.filter(isMap).map((baseline, i) => {
    const changes = baseline.get("set", true);
    const written = isMap(changes) ? changes.items : [];
    return {
      name: String(baseline.get("name")),
      changes: written.map((pair) => {
        const path = String(pair.key);
        const line = origins.at(document.contents, ["baselines", i, "set"], document, path);
        return { path, value: pair.value as Node, where: `${line} baselines[${i}].set` };
      }),
    };
  });
}

function variant(document: Tree, name: string, origins: Origins, problems: FieldErrorData[]): Recipe | undefined {
  const expanded = document.clone() as Tree;
  const root = expanded.contents as YAMLMap;
  shareTrain(root);
  const value: unknown = expanded.toJS();
  const locate: Locate = (path, key) => origins.at(root, path, expanded, key);
  const parsed = recipeSchema.safeParse(value);
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, value, recipeJsonSchema(), locate));
  problems.push(...referenceProblems(value, locate));
  if (!parsed.success) return undefined;
  const { train: _shared, baselines: _baselines, branches: _branches, output, ...recipe } = parsed.data;
  return { ...recipe, output: output ?? `runs/${recipe.name}`, variant: name };
}

/** Lays the recipe's own `train` under that of each stage. */
function shareTrain(root: YAMLMap): void {
  const shared = root.get("train", true);
  const stages = root.get("stages", true);
  if (!isMap(shared) || !isSeq(stages)) return;
  for (const stage of stages.items) {
    if (!isMap(stage)) continue;
    const own = stage.get("train", true);
    if (own === undefined || own === null) stage.set("train", inherit(new YAMLMap(), shared));
    else if (isMap(own)) stage.set("train", inherit(own, shared));
  }
}

/** A mistake outside of what a baseline changes shows in every variant; it is told once. */
function unique(problems: readonly FieldErrorData[]): FieldErrorData[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
