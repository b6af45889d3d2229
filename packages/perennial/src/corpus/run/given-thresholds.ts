/** Thresholds that a recipe brings along: inline, as JSON, or as FineWeb2's released configuration of a language, `fra_Latn.yml`. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { FieldError } from "../../errors.ts";
import { fromFineweb2Config, type LanguageThresholds, languageThresholdsSchema } from "../thresholds/index.ts";
import type { CorpusRecipe } from "./recipe.ts";

export function givenThresholds({ thresholds }: CorpusRecipe): Map<string, LanguageThresholds> {
  const all = thresholds.given.flatMap((given) => (typeof given === "string" ? readThresholds(given) : [given]));
  return new Map(all.map((one) => [one.language, one]));
}

export function readThresholds(path: string): LanguageThresholds[] {
  try {
    const text = readFileSync(path, "utf8");
    if (/\.ya?ml$/.test(path)) return [fromFineweb2Config(basename(path).replace(/\.ya?ml$/, ""), parse(text))];
    const value: unknown = JSON.parse(text);
    return (Array.isArray(value) ? value : [value]).map((one) => languageThresholdsSchema.parse(one));
  } catch (cause) {
    throw new FieldError(
      "CORPUS_THRESHOLDS",
      {
        at: path,
        expected: "thresholds as `perennial corpus thresholds` writes them, or FineWeb2's configuration of a language",
        todo: (cause as Error).message.split("\n")[0]!,
      },
      { cause },
    );
  }
}
