/** The text of a recipe as token corpora: tokenized once, kept in a cache by content. */
import { isAbsolute, resolve } from "node:path";
import { batchTokenizerOf, type HeldOut, ShardedCorpus, type TokenCorpus, type TokenizeProgress, tokenizeCorpus } from "../data/index.ts";
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

export interface CorpusInput {
  /** Transformed, where the recipe says so. */
  readonly paths: readonly string[];
  readonly textField: string;
  /** What tokenizing sets aside; undefined where nothing is, or files of their own are. */
  readonly heldOut: HeldOut | undefined;
  /** The same transformation of other files. */
  readonly transformed: (files: readonly string[]) => Promise<readonly string[]>;
}

/** The files that hold a corpus as it is trained on. */
export async function corpusInput(
  name: string,
  { path, transform, textField, heldOut }: CorpusSpec,
  options: Pick<PrepareOptions, "baseFolder" | "cacheFolder" | "note">,
): Promise<CorpusInput> {
  const absolute = (file: string) => (isAbsolute(file) ? file : resolve(options.baseFolder, file));
  const transformed = async (files: readonly string[]) =>
    transform === null
      ? files.map(absolute)
      : [await transformedCorpus(name, files.map(absolute), transform, { ...options, textField, note: options.note ?? (() => {}) })];
  return {
    paths: await transformed(typeof path === "string" ? [path] : path),
    textField: transform === null ? textField : "text",
    heldOut: heldOut !== "none" && !("path" in heldOut) ? heldOut : undefined,
    transformed,
  };
}

async function prepareCorpus(name: string, spec: CorpusSpec, tokenizer: Tokenizer, options: PrepareOptions): Promise<PreparedCorpus> {
  const { paths, textField, heldOut: inside, transformed } = await corpusInput(name, spec, options);
  const tokenize = (files: readonly string[], heldOut?: { share: number } | { bytes: number }) =>
    tokenizeCorpus({
      paths: files,
      tokenizer: batchTokenizerOf(tokenizer),
      shardsFolder: options.cacheFolder,
      textField,
      onProgress: (progress) => options.onProgress(name, progress),
      ...(heldOut === undefined ? {} : { heldOut }),
    });
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
    heldOut = ShardedCorpus.open(await tokenize(await transformed([spec.heldOut.path])), "train");
  if (heldOut !== null && heldOut.numTokens === 0)
    throw new PerennialError(
      "HELD_OUT_EMPTY",
      `Corpus ${name} is too small for its held-out share: no document was set aside. Raise corpora.${name}.heldOut, or give held-out files of their own.`,
    );
  return { name, language: spec.language, train, heldOut, paths };
}
