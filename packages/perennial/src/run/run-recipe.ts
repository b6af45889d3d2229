/** A recipe and its baselines in one call: what `perennial train` does. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { keepFreedMemory, manualSeed } from "@perennial/torch";
import { initializers, resizeModel } from "../adapt/index.ts";
import { FieldError, PerennialError } from "../errors.ts";
import { Decoder, decoderConfig, loadModel } from "../model/index.ts";
import { planOf, type Recipe, type ResolvedRecipe } from "../recipe/index.ts";
import { DEFAULT_STORE_PATH, lockRunFolder, openStore, type Run, type Store } from "../store/index.ts";
import type { JsonTokenizer, Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, checkpointNames, newestCheckpoint } from "../train/checkpoint.ts";
import { chooseDevice, describeHardware } from "../train/hardware.ts";
import { firstRankFirst, firstRankOnly, singleProcess, type World } from "../train/world.ts";
import { bringAlong, openBranchPoint, recordBranchPoint } from "./branch-point.ts";
import { prepareCorpora } from "./corpora.ts";
import type { Listener } from "./events.ts";
import { recipeHash, runVariant, type VariantResult } from "./run-variant.ts";
import { orderSources } from "./source-order.ts";
import { EventFile, eventListener } from "./tensorboard.ts";
import { openTokenizer, tokenizerOfModel } from "./tokenizer.ts";

export interface RunOptions {
  /** Folder that relative paths of the recipe start from. */
  readonly baseFolder: string;
  readonly storePath?: string;
  /** Where tokenized text is kept between runs. */
  readonly cacheFolder?: string;
  /** Go on from the newest checkpoints. */
  readonly resume?: boolean;
  /**
   * Begin where another run stood: a new run goes on from its checkpoint of that step, with its optimizer and its place in the data.
   * Both recipes must say the same up to there; then the result is that of the new recipe from its first step on, for less.
   */
  readonly branchFrom?: { readonly folder: string; readonly step: number };
  /** Stop, resumable, after this step of each run. */
  readonly until?: number;
  /** Only this variant: `main` or the name of a baseline. */
  readonly variant?: string;
  readonly versions?: Readonly<Record<string, string>>;
  readonly listen?: Listener;
  readonly signal?: AbortSignal;
  /** The processes that train together; each calls with the same recipe and options. */
  readonly world?: World;
  /** Where the model trains; default auto: on a GPU where there is one. */
  readonly device?: "auto" | "cpu" | "cuda";
}

export interface RunSummary {
  readonly variant: string;
  readonly runId: string;
  readonly folder: string;
  readonly result: VariantResult;
}

/**
 * Runs all variants, one after the other. Errors leave finished variants and checkpoints as they are.
 * Of several processes the first one writes and tells; the others keep their records in memory, so that nothing below has
 * to ask. All must see the same folders.
 */
export async function runRecipe(resolved: ResolvedRecipe, options: RunOptions): Promise<RunSummary[]> {
  keepFreedMemory();
  chooseDevice(options.device ?? "auto"); // a GPU that is missing is said before anything long begins
  const isFirst = (options.world ?? singleProcess).rank === 0;
  const storePath = isFirst ? resolve(options.baseFolder, options.storePath ?? DEFAULT_STORE_PATH) : ":memory:";
  if (isFirst) mkdirSync(dirname(storePath), { recursive: true });
  const store = openStore(storePath, { mode: "write" });
  try {
    const variants = resolved.variants.filter((recipe) => options.variant === undefined || recipe.variant === options.variant);
    if (variants.length === 0)
      throw new FieldError("VARIANT", {
        at: "--variant",
        expected: `one of ${resolved.variants.map(({ variant }) => variant).join(", ")}`,
        received: options.variant,
      });
    const summaries: RunSummary[] = [];
    let family: string | undefined;
    for (const recipe of variants) {
      const summary = await runOne(recipe, resolved, store, options, family);
      family ??= store.runs.byId(summary.runId)?.family;
      summaries.push(summary);
      if (summary.result.status === "stopped") break;
    }
    return summaries;
  } finally {
    store.close();
  }
}

async function runOne(
  recipe: Recipe,
  { text: recipeText, variants }: ResolvedRecipe,
  store: Store,
  options: RunOptions,
  family: string | undefined,
): Promise<RunSummary> {
  const world = options.world ?? singleProcess;
  const isFirst = world.rank === 0;
  const listen = (isFirst ? options.listen : undefined) ?? (() => {});
  const root = resolve(options.baseFolder, recipe.output);
  const folder = recipe.variant === "main" ? join(root, "main") : join(root, recipe.variant);
  mkdirSync(folder, { recursive: true });
  const lock = isFirst ? lockRunFolder(folder) : undefined;
  try {
    const earlier = store.runs.newestIn(folder);
    const finished = world.sum(options.resume === true && earlier?.status === "finished" ? 1 : 0) > 0;
    if (finished && earlier === undefined) return { variant: recipe.variant, runId: "", folder, result: FINISHED_ELSEWHERE };
    if (finished && earlier !== undefined) {
      listen({ kind: "note", text: `${recipe.variant}: finished before (${earlier.id}); nothing to resume` });
      return { variant: recipe.variant, runId: earlier.id, folder, result: finishedResult(store, earlier, recipe, folder) };
    }
    if (options.resume !== true && checkpointNames(folder).length > 0)
      throw new PerennialError(
        "RUN_EXISTS",
        `${folder} holds a run already. Go on with it (--resume), or choose another output (--set output=…), or delete the folder.`,
      );
    const warn = (text: string) => listen({ kind: "warning", text });
    const own = options.resume === true ? await firstRankFirst(world, () => newestCheckpoint(folder, warn)) : undefined;
    if (own !== undefined && own.state.recipeHash !== recipeHash(recipe))
      throw new PerennialError(
        "RUN_CHANGED",
        `The recipe is not the one that ${folder} was started with, so the run cannot go on as if nothing had happened. Undo the change, or start a new run with another output.`,
      );
    const plan = planOf(recipe, { worldSize: world.size });
    const { branchFrom, baseFolder } = options;
    const branchPoint = own === undefined ? await openBranchPoint({ recipe, plan, root, baseFolder, world, branchFrom }) : undefined;
    const resumeFrom = own ?? branchPoint?.checkpoint;
    if (branchPoint !== undefined) await firstRankOnly(world, () => bringAlong(branchPoint, folder));
    const old =
      typeof recipe.tokenizer === "object" && "extend" in recipe.tokenizer
        ? await tokenizerOfModel(recipe, (path) => resolve(options.baseFolder, path))
        : undefined;
    // What the first process has trained and tokenized the others find.
    const { tokenizer, corpora } = await firstRankFirst(world, async () => {
      const cacheFolder = options.cacheFolder ?? resolve(options.baseFolder, ".perennial/tokens");
      const tokenizer = await openTokenizer(recipe, { baseFolder: options.baseFolder, folder, cacheFolder, listen });
      const prepared = await prepareCorpora(recipe, tokenizer, {
        baseFolder: options.baseFolder,
        cacheFolder,
        note: (text) => listen({ kind: "note", text }),
        onProgress: (corpus, progress) => listen({ kind: "tokenizing", corpus, progress }),
      });
      const corpora = await orderSources(recipe, prepared, {
        tokenizer,
        cacheFolder,
        modelPath: typeof recipe.model === "string" ? resolve(options.baseFolder, recipe.model) : null,
        loadModel: () => startModel(recipe, tokenizer, options.baseFolder, old).model,
        note: (text) => listen({ kind: "note", text }),
      });
      return { tokenizer, corpora };
    });
    const recorder =
      own !== undefined && earlier !== undefined
        ? store.resume(earlier, own.state.step)
        : store.start({
            name: recipe.name,
            variant: recipe.variant,
            recipe,
            recipeText,
            seed: recipe.seed,
            versions: options.versions ?? {},
            hardware: describeHardware(),
            folder,
            ...(family === undefined ? {} : { family }),
          });
    if (branchPoint !== undefined) {
      const { stage, step, before } = branchPoint.checkpoint.state;
      recorder.stageStarted(stage, recipe.stages[stage]!.name, step);
      recorder.evaluations(
        Object.entries(before).map(([corpus, value]) => ({
          ...{ step: 0, moment: "before" as const, stage: 0, tokens: 0, corpus, metric: "bitsPerByte", value },
          ...{ low: Number.NaN, high: Number.NaN },
        })),
      );
    }
    if (isFirst) writeFileSync(join(folder, "recipe.json"), `${JSON.stringify(recipe, null, 2)}\n`);
    listen({ kind: "variant", variant: recipe.variant, folder, runId: recorder.run.id, totalSteps: 0 });
    const events = recipe.tensorboard && isFirst ? new EventFile(join(folder, "tensorboard"), resumeFrom?.state.step ?? 0) : undefined;
    const write = events === undefined ? undefined : eventListener(events);
    try {
      const result = await runVariant({
        recipe,
        recipeText,
        folder,
        tokenizer,
        corpora,
        startModel: () => startModel(recipe, tokenizer, options.baseFolder, old),
        recorder,
        resumeFrom,
        parentHash: branchPoint === undefined ? parentOf(resumeFrom, store) : await recordBranchPoint(branchPoint, recipe, corpora, store),
        branchSteps: variants
          .filter(({ branch }) => branch?.from === recipe.variant)
          .map((branch) => planOf(branch, { worldSize: world.size }).branch!.step),
        until: options.until,
        listen(message) {
          listen(message);
          write?.(message);
        },
        signal: options.signal,
        world,
        device: options.device ?? "auto",
      });
      return { variant: recipe.variant, runId: recorder.run.id, folder, result };
    } catch (error) {
      recorder.end("failed", (error as Error).message);
      throw error;
    } finally {
      events?.close();
    }
  } finally {
    lock?.release();
  }
}

/** A store that was deleted meanwhile knows nothing of earlier models. */
function parentOf(checkpoint: Checkpoint | undefined, store: Store): string | null {
  const hash = checkpoint?.state.parentHash ?? null;
  return hash === null || store.lineage.byHash(hash) === undefined ? null : hash;
}

/** What other processes than the first know of a run that was finished before: it is in the store, which only that one opens. */
const FINISHED_ELSEWHERE: VariantResult = {
  ...{ status: "finished", reason: null, modelFolder: null },
  ...{ before: new Map(), after: new Map(), changes: new Map() },
};

/** What a finished run measured, from the store. */
function finishedResult(store: Store, run: Run, recipe: Recipe, folder: string): VariantResult {
  const { rows, corpora, values } = store.evaluations.matrix(
    run.key,
    "bitsPerByte",
    recipe.stages.map(({ name }) => name),
  );
  const row = (i: number) => new Map(corpora.map((corpus, j) => [corpus, values[i]?.[j] ?? Number.NaN]));
  const changes = new Map(
    store.evaluations.read(run.key, "bitsPerByteChange").map(({ corpus, value, low, high }) => [corpus, { value, low, high }]),
  );
  return { status: "finished", reason: null, modelFolder: join(folder, "model"), before: row(0), after: row(rows.length - 1), changes };
}

/** `old` is the tokenizer that the recipe extends. */
function startModel(recipe: Recipe, tokenizer: Tokenizer, baseFolder: string, old: JsonTokenizer | undefined) {
  const { model } = recipe;
  if (typeof model === "string") {
    const path = isAbsolute(model) ? model : resolve(baseFolder, model);
    if (!existsSync(path))
      throw new FieldError("MODEL_MISSING", {
        at: "model",
        expected: "a Hugging Face model folder",
        received: model,
        todo: `there is no ${path}`,
      });
    const loaded = loadModel(path);
    if (old === undefined || typeof recipe.tokenizer !== "object" || !("extend" in recipe.tokenizer)) return { ...loaded, path };
    const initializer = initializers[recipe.tokenizer.extend.initialization];
    const resized = resizeModel(loaded.model, old, tokenizer as JsonTokenizer, { initializer, seed: recipe.seed });
    return { model: resized, rawConfig: loaded.rawConfig, path };
  }
  const { numKeyValueHeads, headDim, intermediateSize, ...rest } = model as Extract<Recipe["model"], object>;
  manualSeed(recipe.seed);
  const { bos, eos, pad } = tokenizer.specialTokens;
  const config = decoderConfig({
    ...rest,
    vocabSize: tokenizer.vocabSize,
    bosTokenId: bos ?? null,
    eosTokenIds: eos === undefined ? [] : [eos],
    padTokenId: pad ?? null,
    numKeyValueHeads: numKeyValueHeads ?? undefined,
    headDim: headDim ?? undefined,
    intermediateSize: intermediateSize ?? undefined,
  });
  return { model: new Decoder(config), rawConfig: {}, path: null };
}
