/**
 * A recipe as a cell: the very run that `perennial train` does, with its checkpoints, store and measurements, in the cell's folder. In the
 * recipe of a cell the path of a corpus is the name of a real text (or of a file that the cell made from some), and the model may be the
 * base model, so that the recipe does not depend on where things lie.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { writeJson } from "../corpus/durable.ts";
import { PerennialError } from "../errors.ts";
import { evaluateHeldOut } from "../evaluate/model/index.ts";
import { type Recipe, type RecipeSpec, resolveRecipe } from "../recipe/index.ts";
import { openModel, prepareCorpora, runRecipe } from "../run/index.ts";
import { type EvaluationMatrix, hashText, lockRunFolder, openStore, type RunLock } from "../store/index.ts";
import { type CellContext, type Curve, ReproductionStopped } from "./reproduction.ts";
import { realText } from "./text.ts";
import { documentScores } from "./verdict.ts";

export interface RecipeCell {
  /** Bits per byte: the row before the first stage, then one after each stage. */
  readonly matrix: EvaluationMatrix;
  /** Bits per byte of each corpus over tokens, from before the run to its end. */
  readonly curves: Readonly<Record<string, Curve>>;
  /** Bits per byte of the model after the last stage, by corpus, on up to `FINAL_TOKENS` held-out tokens. */
  readonly final: Readonly<Record<string, number>>;
  /** The same by document: see `documentScores`. */
  readonly documents: Readonly<Record<string, readonly number[]>>;
  readonly modelFolder: string;
  /** The same of another model, on the same text: the one that the run started from, say. */
  measure(modelFolder: string): Promise<Pick<RecipeCell, "final" | "documents">>;
  /** Target tokens by corpus over the run. */
  readonly tokens: number;
}

/** The last measurement decides claims: it reads more held-out text than those on the way. */
const FINAL_TOKENS = 40_000;

/** Runs, or goes on with, the recipe in the cell's folder. `base`: the model folder that `model: base` stands for. */
export async function runRecipeCell(spec: RecipeSpec, context: CellContext, base?: string): Promise<RecipeCell> {
  const recipe = await runIn(join(context.folder, "run"), spec, context, base);
  const store = openStore(storePath(context.folder), { mode: "read" });
  try {
    const run = store.runs.newestIn(recipe.folder)!;
    const stages = recipe.recipe.stages.map(({ name }) => name);
    const measured = store.evaluations.read(run.key, "bitsPerByte");
    const corpora = [...new Set(measured.map(({ corpus }) => corpus))];
    const curves = Object.fromEntries(
      corpora.map((corpus) => {
        const points = measured.filter((row) => row.corpus === corpus && (row.moment !== "before" || row.stage === 0));
        return [corpus, { x: points.map(({ tokens }) => tokens), y: points.map(({ value }) => value) }];
      }),
    );
    return {
      matrix: store.evaluations.matrix(run.key, "bitsPerByte", stages),
      curves,
      ...(await finalOf(recipe.recipe, recipe.modelFolder, context)),
      modelFolder: recipe.modelFolder,
      measure: (modelFolder) => finalOf(recipe.recipe, modelFolder, context),
      tokens: measured.at(-1)?.tokens ?? 0,
    };
  } finally {
    store.close();
  }
}

/** A model trained once for all cells and reproductions that ask for the same recipe. Returns its folder. */
export async function sharedModel(spec: RecipeSpec, context: CellContext): Promise<string> {
  const folder = join(context.sharedFolder, `${spec.name}-${hashText(JSON.stringify(spec)).slice(0, 12)}`);
  const done = join(folder, "done.json");
  const ready = () => existsSync(done);
  if (!ready()) {
    // Cells in other processes ask for it at the same time: one makes it, the others wait.
    const lock = await lockOr(ready, folder, context.signal);
    try {
      if (!ready()) {
        context.listen({ kind: "note", text: `making the model "${spec.name}", once for all` });
        const { modelFolder } = await runIn(folder, spec, { ...context, folder });
        writeJson(done, { modelFolder: modelFolder.slice(folder.length + 1) });
      }
    } finally {
      lock?.release();
    }
  }
  return join(folder, (JSON.parse(readFileSync(done, "utf8")) as { modelFolder: string }).modelFolder);
}

const WAIT_MILLISECONDS = 300;

/** Takes the lock of the folder as soon as it is free; nothing when `ready` first. */
async function lockOr(ready: () => boolean, folder: string, signal: AbortSignal | undefined): Promise<RunLock | undefined> {
  while (!ready()) {
    if (signal?.aborted === true) throw new ReproductionStopped();
    try {
      return lockRunFolder(folder);
    } catch (error) {
      if (!(error instanceof PerennialError && error.code === "RUN_FOLDER_BUSY")) throw error;
    }
    await setTimeout(WAIT_MILLISECONDS);
  }
  return undefined;
}

interface FinishedRun {
  readonly recipe: Recipe;
  readonly folder: string;
  readonly modelFolder: string;
}

async function runIn(output: string, spec: RecipeSpec, context: CellContext, base?: string): Promise<FinishedRun> {
  const corpora = Object.fromEntries(
    Object.entries(spec.corpora).map(([name, corpus]) => [
      name,
      { ...corpus, path: [corpus.path].flat().map((text) => (isAbsolute(text) ? text : realText(text).path)) },
    ]),
  );
  const model = spec.model === "base" ? base : spec.model;
  if (model === undefined)
    throw new PerennialError("REPRODUCE_BASE", "The recipe of a cell continues from the base model; hand its folder in.");
  const resolved = resolveRecipe({ ...spec, corpora, model, output, baselines: [] });
  mkdirSync(context.folder, { recursive: true });
  const [summary] = await runRecipe(resolved, {
    baseFolder: context.folder,
    storePath: storePath(context.folder),
    cacheFolder: context.tokensFolder,
    resume: true,
    listen: context.listen,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const { status, reason, modelFolder } = summary!.result;
  if (status === "finished" && modelFolder !== null) return { recipe: resolved.variants[0], folder: summary!.folder, modelFolder };
  if (context.signal?.aborted === true) throw new ReproductionStopped();
  throw new PerennialError("REPRODUCE_RUN", `The run of a cell ended before its time: ${reason}`);
}

const storePath = (folder: string) => join(folder, "store.db");

/** Held-out text is tokenized already: it is found in the cache. */
async function finalOf(recipe: Recipe, modelFolder: string, context: CellContext): Promise<Pick<RecipeCell, "final" | "documents">> {
  const { model, tokenizer } = await openModel(modelFolder);
  try {
    const prepared = await prepareCorpora(recipe, tokenizer, {
      baseFolder: context.folder,
      cacheFolder: context.tokensFolder,
      onProgress: () => {},
    });
    const { sequenceLength, microBatchSize } = recipe.stages.at(-1)!.train;
    const final: Record<string, number> = {};
    const documents: Record<string, number[]> = {};
    for (const name of recipe.evaluate.corpora ?? prepared.keys()) {
      const { heldOut } = prepared.get(name)!;
      if (heldOut === null) continue;
      const { byDocument, bitsPerByte } = evaluateHeldOut(model, heldOut, {
        sequenceLength,
        batchSize: microBatchSize,
        maxTokens: FINAL_TOKENS,
        prefixTokenId: tokenizer.specialTokens.bos ?? tokenizer.specialTokens.eos,
      });
      final[name] = bitsPerByte;
      documents[name] = documentScores(byDocument);
    }
    return { final, documents };
  } finally {
    model.dispose();
  }
}
