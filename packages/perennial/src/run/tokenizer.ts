/** The tokenizer that a recipe asks for. */
import { isAbsolute, resolve } from "node:path";
import { FieldError } from "../errors.ts";
import type { Recipe } from "../recipe/index.ts";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.ts";
import type { Listener } from "./events.ts";

export async function openTokenizer(recipe: Recipe, baseFolder: string, _folder: string, _listen: Listener): Promise<Tokenizer> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  const { tokenizer, model } = recipe;
  if (tokenizer === "model") {
    if (typeof model !== "string")
      throw new FieldError("RECIPE_TOKENIZER", {
        at: "tokenizer",
        expected: "bytes, a path, or train: a fresh model has no tokenizer of its own",
        received: tokenizer,
      });
    return loadTokenizer(absolute(model));
  }
  if (typeof tokenizer === "string" && tokenizer !== "bytes") return loadTokenizer(absolute(tokenizer));
  throw new FieldError("RECIPE_TOKENIZER", { at: "tokenizer", expected: "model or a path", received: tokenizer });
}
