/** The tokenizer that a recipe asks for. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { Rejections, readDocuments } from "../corpus/formats/index.ts";
import { heldOutTest } from "../data/index.ts";
import { FieldError } from "../errors.ts";
import type { Recipe } from "../recipe/index.ts";
import { ByteTokenizer } from "../tokenizer/byte-tokenizer.ts";
import { extendTokenizer, JsonTokenizer, loadTokenizer, openTokenizerOf, type Tokenizer } from "../tokenizer/index.ts";
import { trainTokenizer } from "../tokenizer/train.ts";
import { corpusInput } from "./corpora.ts";
import type { Listener } from "./events.ts";

/** The one special token of a tokenizer trained here: it ends documents and begins generation. */
const END_OF_TEXT = "<|endoftext|>";

export interface TokenizerPlaces {
  /** Folder that relative paths of the recipe start from. */
  readonly baseFolder: string;
  /** Of the run: a tokenizer learnt for it is kept there, so that a resumed run finds the same one. */
  readonly folder: string;
  readonly cacheFolder: string;
  readonly listen: Listener;
}

export async function openTokenizer(recipe: Recipe, places: TokenizerPlaces): Promise<Tokenizer> {
  const { baseFolder, folder } = places;
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseFolder, path));
  const { tokenizer, model } = recipe;
  const own = join(folder, "tokenizer");
  if (typeof tokenizer === "object" && "train" in tokenizer) return trained(recipe, tokenizer.train, own, places);
  if (typeof tokenizer === "object") return extended(recipe, tokenizer.extend, absolute, own, places);
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
  folder: string,
  places: TokenizerPlaces,
): Promise<Tokenizer> {
  if (existsSync(join(folder, "tokenizer.json"))) return loadTokenizer(folder);
  const names = corpora ?? Object.keys(recipe.corpora);
  places.listen({ kind: "note", text: `learning a tokenizer of ${vocabSize} tokens from ${names.join(", ")}` });
  const { tokenizer } = await trainTokenizer(textsOf(recipe, names, maxBytes, places), { vocabSize, specialTokens: [END_OF_TEXT] });
  return keepTokenizer(tokenizer, folder);
}

async function extended(
  recipe: Recipe,
  { newTokens, corpora, keep, maxBytes }: Extract<Recipe["tokenizer"], { extend: unknown }>["extend"],
  absolute: (path: string) => string,
  folder: string,
  places: TokenizerPlaces,
): Promise<Tokenizer> {
  if (existsSync(join(folder, "tokenizer.json"))) return loadTokenizer(folder);
  const old = await tokenizerOfModel(recipe, absolute);
  const names = corpora ?? Object.keys(recipe.corpora).filter((name) => !keep.includes(name));
  places.listen({ kind: "note", text: `extending the tokenizer by ${newTokens} tokens from ${names.join(", ")}` });
  const { tokenizer } = await extendTokenizer(old, textsOf(recipe, names, maxBytes, places), {
    newTokens,
    ...(keep.length === 0 ? {} : { keep: textsOf(recipe, keep, maxBytes, places) }),
  });
  const learned = tokenizer.vocabSize - old.vocabSize;
  if (learned < newTokens) places.listen({ kind: "warning", text: `the text gave only ${learned} of ${newTokens} new tokens` });
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

/** Training text only: a vocabulary that has seen held-out text would flatter what is measured on it. */
async function* textsOf(recipe: Recipe, names: readonly string[], maxBytes: number, { listen, ...places }: TokenizerPlaces) {
  for (const name of names) {
    const corpus = recipe.corpora[name];
    if (corpus === undefined)
      throw new FieldError("RECIPE_TOKENIZER", {
        at: "tokenizer",
        expected: `names of corpora: ${Object.keys(recipe.corpora).join(", ")}`,
        received: name,
      });
    const { paths, textField, heldOut } = await corpusInput(name, corpus, { ...places, note: (text) => listen({ kind: "note", text }) });
    const isHeldOut = heldOut === undefined ? () => false : await heldOutTest(paths, { heldOut, textField });
    let bytes = 0;
    // Broken records are set aside and counted when the corpus itself is read.
    for await (const { text } of readDocuments(paths, { textField, rejections: new Rejections() })) {
      if (isHeldOut(text)) continue;
      yield text;
      bytes += Buffer.byteLength(text);
      if (bytes >= maxBytes) break;
    }
  }
}
