/** The tokenizer that a recipe asks for. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { Rejections, readDocuments } from "../corpus/formats/index.ts";
import { FieldError } from "../errors.ts";
import type { Recipe } from "../recipe/index.ts";
import { ByteTokenizer } from "../tokenizer/byte-tokenizer.ts";
import { extendTokenizer, JsonTokenizer, loadTokenizer, openTokenizerOf, type Tokenizer } from "../tokenizer/index.ts";
import { trainTokenizer } from "../tokenizer/train.ts";
import type { Listener } from "./events.ts";

/** The one special token of a tokenizer trained here: it ends documents and begins generation. */
const END_OF_TEXT = "<|endoftext|>";

/** `folder` is the run's: a tokenizer trained for it is kept there, so that a resumed run finds the same one. */
export async function openTokenizer(recipe: Recipe, baseFolder: string, folder: string, listen: Listener): Promise<Tokenizer> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  const { tokenizer, model } = recipe;
  const own = join(folder, "tokenizer");
  if (typeof tokenizer === "object" && "train" in tokenizer) return trained(recipe, tokenizer.train, absolute, own, listen);
  if (typeof tokenizer === "object") return extended(recipe, tokenizer.extend, absolute, own, listen);
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
  { vocabSize, corpora, maxBytes }: Extract<Recipe["tokenizer"], { train: unknown }>["train"],
  absolute: (path: string) => string,
  folder: string,
  listen: Listener,
): Promise<Tokenizer> {
  if (existsSync(join(folder, "tokenizer.json"))) return loadTokenizer(folder);
  const names = corpora ?? Object.keys(recipe.corpora);
  listen({ kind: "note", text: `learning a tokenizer of ${vocabSize} tokens from ${names.join(", ")}` });
  const { tokenizer } = await trainTokenizer(textsOf(recipe, names, maxBytes, absolute), { vocabSize, specialTokens: [END_OF_TEXT] });
  return keepTokenizer(tokenizer, folder);
}

async function extended(
  recipe: Recipe,
  { newTokens, corpora, keep, maxBytes }: Extract<Recipe["tokenizer"], { extend: unknown }>["extend"],
  absolute: (path: string) => string,
  folder: string,
  listen: Listener,
): Promise<Tokenizer> {
  if (existsSync(join(folder, "tokenizer.json"))) return loadTokenizer(folder);
  const old = await tokenizerOfModel(recipe, absolute);
  const names = corpora ?? Object.keys(recipe.corpora).filter((name) => !keep.includes(name));
  listen({ kind: "note", text: `extending the tokenizer by ${newTokens} tokens from ${names.join(", ")}` });
  const { tokenizer } = await extendTokenizer(old, textsOf(recipe, names, maxBytes, absolute), {
    newTokens,
    ...(keep.length === 0 ? {} : { keep: textsOf(recipe, keep, maxBytes, absolute) }),
  });
  const learned = tokenizer.vocabSize - old.vocabSize;
  if (learned < newTokens) listen({ kind: "warning", text: `the text gave only ${learned} of ${newTokens} new tokens` });
  return keepTokenizer(tokenizer, folder);
}

/** The folder appears whole, so that a run that was killed meanwhile learns it again instead of taking half of it. */
async function keepTokenizer(tokenizer: Tokenizer, folder: string): Promise<Tokenizer> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await tokenizer.save(partial);
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
  return loadTokenizer(folder);
}

/** The tokenizer in the model's folder, which `tokenizer.extend` builds on. */
export async function tokenizerOfModel(recipe: Recipe, absolute: (path: string) => string): Promise<JsonTokenizer> {
  const { model } = recipe;
  const old = typeof model === "string" && existsSync(absolute(model)) ? await openTokenizerOf(absolute(model)) : undefined;
  if (!(old instanceof JsonTokenizer))
    throw new FieldError("RECIPE_TOKENIZER", {
      at: "tokenizer.extend",
      expected: "a model folder with a tokenizer.json to extend",
      received: model,
    });
  return old;
}

async function* textsOf(recipe: Recipe, names: readonly string[], maxBytes: number, absolute: (path: string) => string) {
  for (const name of names) {
    const corpus = recipe.corpora[name];
    if (corpus === undefined)
      throw new FieldError("RECIPE_TOKENIZER", {
        at: "tokenizer",
        expected: `names of corpora: ${Object.keys(recipe.corpora).join(", ")}`,
        received: name,
      });
    const { path, textField } = corpus;
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
