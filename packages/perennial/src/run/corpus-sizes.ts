/** What the corpora of a recipe hold, without reading more than a sample: for a plan. */
import { isAbsolute, resolve } from "node:path";
import { findInputs } from "../corpus/formats/index.ts";
import { batchTokenizerOf, estimateTokens } from "../data/index.ts";
import type { Recipe } from "../recipe/index.ts";
import { openTokenizer } from "./tokenizer.ts";

export interface CorpusSize {
  readonly name: string;
  readonly files: number;
  /** As they lie on the disk. */
  readonly bytes: number;
  /** Held-out text included; null while the tokenizer is still to be trained, or the text to be made. */
  readonly tokens: number | null;
  /** Whether the tokens were counted, not estimated from a sample. */
  readonly exact: boolean;
}

export async function corpusSizes(recipe: Recipe, baseFolder: string): Promise<CorpusSize[]> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  const found = Object.entries(recipe.corpora).map(([name, { path, textField, transform }]) => ({
    name,
    textField,
    transformed: transform !== null,
    files: findInputs((typeof path === "string" ? [path] : path).map(absolute)),
  }));
  const tokenizer =
    typeof recipe.tokenizer === "object"
      ? undefined
      : await openTokenizer(recipe, { baseFolder, folder: "", cacheFolder: "", listen: () => {} });
  const sizes: CorpusSize[] = [];
  for (const { name, textField, transformed, files } of found) {
    const estimate =
      tokenizer === undefined || transformed ? undefined : await estimateTokens(files, batchTokenizerOf(tokenizer), { textField });
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    sizes.push({ name, files: files.length, bytes, tokens: estimate?.tokens ?? null, exact: estimate?.exact ?? false });
  }
  return sizes;
}
