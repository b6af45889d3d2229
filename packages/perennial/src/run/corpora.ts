/** The text of a recipe as token corpora: tokenized once, kept in a cache by content. */
import { isAbsolute, resolve } from "node:path";
import { batchTokenizerOf, ShardedCorpus, type TokenCorpus, type TokenizeProgress, tokenizeCorpus } from "../data/index.ts";
import { PerennialError } from "../errors.ts";
import type { Recipe } from "../recipe/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { transformedCorpus } from "./corpus-transform.ts";

export interface PreparedCorpus {
  readonly name: string;
  readonly language: string | null;
  readonly train: TokenCorpus;
  /** Null when the recipe holds nothing out. */
  readonly heldOut: TokenCorpus | null;
  readonly paths: readonly string[];
  /** The training text in orders that stages ask for, by `orderKey`. */
  readonly ordered?: ReadonlyMap<string, TokenCorpus>;
}

export interface PrepareOptions {
  readonly baseFolder: string;
  readonly cacheFolder: string;
  /** Told what became of transformed records. */
  readonly note?: (text: string) => void;
  readonly onProgress: (corpus: string, progress: TokenizeProgress) => void;
}

type CorpusSpec = Recipe["corpora"][string];

export async function prepareCorpora(recipe: Recipe, tokenizer: Tokenizer, options: PrepareOptions): Promise<Map<string, PreparedCorpus>> {
  const prepared = new Map<string, PreparedCorpus>();
  for (const [name, spec] of Object.entries(recipe.corpora)) prepared.set(name, await prepareCorpus(name, spec, tokenizer, options));
  return prepared;
}

async function prepareCorpus(name: string, spec: CorpusSpec, tokenizer: Tokenizer, options: PrepareOptions): Promise<PreparedCorpus> {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(options.baseFolder, path));
  const written = (typeof spec.path === "string" ? [spec.path] : spec.path).map(absolute);
  const { transform, textField } = spec;
  const transformed = (files: readonly string[]) =>
    transformedCorpus(name, files, transform!, { ...options, textField, note: options.note ?? (() => {}) });
  const paths = transform === null ? written : [await transformed(written)];
  const tokenize = (files: readonly string[], heldOut?: { share: number } | { bytes: number }) =>
    tokenizeCorpus({
      paths: files,
      tokenizer: batchTokenizerOf(tokenizer),
      shardsFolder: options.cacheFolder,
      textField: transform === null ? textField : "text",
      onProgress: (progress) => options.onProgress(name, progress),
      ...(heldOut === undefined ? {} : { heldOut }),
    });
  const inside = spec.heldOut !== "none" && !("path" in spec.heldOut) ? spec.heldOut : undefined;
  const folder = await tokenize(paths, inside);
  const train = ShardedCorpus.open(folder, "train");
  if (train.numTokens === 0)
    throw new PerennialError(
      "CORPUS_EMPTY",
      `Corpus ${name} (${paths.join(", ")}) has no text to train on${inside === undefined ? "" : " beside what is held out"}.`,
    );
  let heldOut: TokenCorpus | null = null;
  if (inside !== undefined) heldOut = ShardedCorpus.open(folder, "held-out");
  else if (spec.heldOut !== "none" && "path" in spec.heldOut)
    heldOut = ShardedCorpus.open(
      await tokenize([transform === null ? absolute(spec.heldOut.path) : await transformed([absolute(spec.heldOut.path)])]),
      "train",
    );
  if (heldOut !== null && heldOut.numTokens === 0)
    throw new PerennialError(
      "HELD_OUT_EMPTY",
      `Corpus ${name} is too small for its held-out share: no document was set aside. Raise corpora.${name}.heldOut, or give held-out files of their own.`,
    );
  return { name, language: spec.language, train, heldOut, paths };
}
