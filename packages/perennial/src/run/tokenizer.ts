/** The tokenizer that a recipe asks for. */
import { existsSync, mkdirSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { Rejections, readDocuments } from "../corpus/formats/index.ts";
import { FieldError } from "../errors.ts";
import type { Recipe } from "../recipe/index.ts";
import { ByteTokenizer } from "../tokenizer/byte-tokenizer.ts";
import { loadTokenizer, openTokenizerOf, type Tokenizer } from "../tokenizer/index.ts";
import { trainTokenizer } from "../tokenizer/train.ts";
import type { Listener } from "./events.ts";

/** The one special token of a tokenizer trained here: it ends documents and begins generation. */
const END_OF_TEXT = "<|endoftext|>";

/** `folder` is the run's: a tokenizer trained for it is kept there, so that a resumed run finds the same one. */
export async function openTokenizer(recipe: Recipe, baseFolder: string, folder: string, listen: Listener): Promise<Tokenizer> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  const { tokenizer, model } = recipe;
  if (typeof tokenizer === "object") return trained(recipe, tokenizer.train, absolute, join(folder, "tokenizer"), listen);
  if (tokenizer === "bytes") return new ByteTokenizer();
  if (tokenizer !== "model") return loadTokenizer(absolute(tokenizer));
  if (typeof model !== "string")
    throw new FieldError("RECIPE_TOKENIZER", {
      at: "tokenizer",
      expected: "bytes, a path, or train: a fresh model has no tokenizer of its own",
      received: tokenizer,
    });
  if (!existsSync(absolute(model)))
    throw new FieldError("MODEL_MISSING", {
      at: "model",
      expected: "a Hugging Face model folder",
      received: model,
      todo: `there is no ${absolute(model)}`,
    });
  return openTokenizerOf(absolute(model));
}

async function trained(
  recipe: Recipe,
  { vocabSize, corpora, maxBytes }: Extract<Recipe["tokenizer"], object>["train"],
  absolute: (path: string) => string,
  folder: string,
  listen: Listener,
): Promise<Tokenizer> {
  if (existsSync(join(folder, "tokenizer.json"))) return loadTokenizer(folder);
  const names = corpora ?? Object.keys(recipe.corpora);
  listen({ kind: "note", text: `learning a tokenizer of ${vocabSize} tokens from ${names.join(", ")}` });
  async function* texts() {
    for (const name of names) {
      const { path, textField } = recipe.corpora[name]!;
      let bytes = 0;
      const paths = (typeof path === "string" ? [path] : path).map(absolute);
      // Broken records are set aside and counted when the corpus itself is read.
      for await (const { text } of readDocuments(paths, { textField, rejections: new Rejections() })) {
        yield text;
        bytes += Buffer.byteLength(text);
        if (bytes >= maxBytes) break;
      }
    }
  }
  const { tokenizer } = await trainTokenizer(texts(), { vocabSize, specialTokens: [END_OF_TEXT] });
  mkdirSync(folder, { recursive: true });
  await tokenizer.save(folder);
  return loadTokenizer(folder);
}
