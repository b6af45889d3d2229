/** From a YAML file to a corpus recipe: overrides, schema, paths. What is wrong is told with line, path and the nearest known field. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isMap, LineCounter, parseDocument } from "yaml";
import { FieldError, type FieldErrorData } from "../../errors.ts";
import { applyFlags } from "../../recipe/flags.ts";
import { problemsOf, RecipeError } from "../../recipe/problems.ts";
import { Origins } from "../../recipe/tree.ts";
import { isAddress } from "../formats/index.ts";
import { corpusJsonSchema } from "./json-schema.ts";
import { mapListPaths } from "./lists.ts";
import { type CorpusRecipe, corpusSchema } from "./recipe.ts";

export interface LoadedCorpusRecipe {
  /** All paths absolute. */
  readonly recipe: CorpusRecipe;
  /** Where the run goes unless the caller says otherwise. */
  readonly output: string;
}

export function loadCorpusRecipe(path: string, { set = [] }: { readonly set?: readonly string[] } = {}): LoadedCorpusRecipe {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const todo = missing ? "start from recipes/fineweb2/corpus.yaml" : (cause as Error).message;
    throw new FieldError(missing ? "RECIPE_MISSING" : "RECIPE_UNREADABLE", { at: path, expected: "a corpus recipe", todo }, { cause });
  }
  return parseCorpusRecipe(text, path, set);
}

export function parseCorpusRecipe(text: string, file: string, set: readonly string[] = []): LoadedCorpusRecipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  if (document.errors.length > 0)
    throw new RecipeError(
      document.errors.map((error) => ({ at: `${file}:${lines.linePos(error.pos[0]).line}`, expected: "valid YAML", todo: error.message })),
    );
  if (!isMap(document.contents)) throw new RecipeError([{ at: file, expected: "a corpus recipe: a map with inputs" }]);
  const origins = new Origins(file, lines);
  const problems: FieldErrorData[] = [];
  applyFlags(document, set, origins, problems);
  const value: unknown = document.toJS();
  const locate = (path: readonly (string | number)[], key?: string) => origins.at(document.contents, path, document, key);
  const parsed = corpusSchema.safeParse(value);
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, value, corpusJsonSchema(), locate));
  if (problems.length > 0 || !parsed.success) throw new RecipeError(problems);
  const base = dirname(resolve(file));
  const recipe = withPaths(parsed.data, (path) => (isAddress(path) ? path : resolve(base, path)));
  return { recipe, output: recipe.output ?? join(base, "corpora", recipe.name) };
}

/** A list of filters as it stands in a recipe, or a recipe that has one; `where` names it in errors. */
export function parseFilters(text: string, where: string): CorpusRecipe["filters"] {
  const value: unknown = parseDocument(text).toJS();
  const filters = Array.isArray(value) ? value : (value as { filters?: unknown } | null)?.filters;
  // Whole, so that mistakes are told as in a recipe; a score is the caller's to make.
  const whole = { inputs: ["-"], identify: { model: "-" }, score: {}, filters };
  return parseCorpusRecipe(JSON.stringify(whole), where).recipe.filters;
}

/** Every path of the recipe changed. */
function withPaths(recipe: CorpusRecipe, change: (path: string) => string): CorpusRecipe {
  const changeAll = (paths: string | string[]) => (typeof paths === "string" ? change(paths) : paths.map(change));
  const { inputs, output, robots, identify, earlier, score, thresholds, urls, filters } = recipe;
  const { given, fit } = thresholds;
  return {
    ...recipe,
    inputs: inputs.map((input) =>
      typeof input === "string" ? change(input) : { list: change(input.list), prefix: prefixOf(input.prefix) },
    ),
    ...(output === undefined ? {} : { output: change(output) }),
    urls: mapListPaths(urls, change),
    robots: robots && { ...robots, files: robots.files.map(change) },
    ...(identify === undefined ? {} : { identify: { ...identify, model: change(identify.model) } }),
    ...(earlier === undefined ? {} : { earlier: change(earlier) }),
    score: score && (score.medians === undefined ? score : { medians: change(score.medians) }),
    thresholds: {
      ...thresholds,
      given: given.map((one) => (typeof one === "string" ? change(one) : one)),
      fit: fit && {
        ...fit,
        english: changeAll(fit.english),
        references: Object.fromEntries(Object.entries(fit.references).map(([label, paths]) => [label, changeAll(paths)])),
      },
    },
    filters: mapListPaths(filters, change),
  };

  /** A prefix of addresses or of a folder; an empty one is the folder of the recipe. */
  function prefixOf(prefix: string): string {
    if (isAddress(prefix)) return prefix;
    return `${change(prefix === "" ? "." : prefix)}${prefix === "" || prefix.endsWith("/") ? "/" : ""}`;
  }
}
