/** The model at the end of a stage, as a folder of its own, with its place in the lineage. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { type Decoder, type LoadedModel, saveModel } from "../model/index.ts";
import type { Recipe, RecipeStage } from "../recipe/index.ts";
import { hashPath, hashText, type Recorder } from "../store/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { PreparedCorpus } from "./corpora.ts";

export interface StageModelOptions {
  readonly recipe: Recipe;
  readonly stage: RecipeStage;
  readonly tokenizer: Tokenizer;
  readonly corpora: ReadonlyMap<string, PreparedCorpus>;
  readonly recorder: Recorder;
  readonly rawConfig: LoadedModel["rawConfig"];
  /** The model that the stage began with; null for a fresh one. */
  readonly parentHash: string | null;
}

/** Writes the folder whole or not at all. Returns the hash of its content. */
export async function saveStageModel(target: string, model: Decoder, name: string, options: StageModelOptions): Promise<string> {
  const { stage, tokenizer, recorder, corpora, rawConfig, parentHash } = options;
  const temporary = `${target}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  try {
    saveModel(temporary, model, { rawConfig, tokenizerVocabSize: tokenizer.vocabSize });
    await tokenizer.save(temporary);
    if (existsSync(target)) rmSync(target, { recursive: true });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  const content = await hashPath(target);
  const parents: { hash: string; role: "model" | "data" | "replay" }[] = [];
  if (parentHash !== null) parents.push({ hash: parentHash, role: "model" });
  const replayedNames = new Set(stage.mixture.replay?.corpora ?? []);
  for (const corpus of [...stage.mixture.sources.map((source) => source.corpus), ...replayedNames]) {
    const { train, paths } = corpora.get(corpus)!;
    recorder.input({ hash: hashText(train.hash), bytes: train.textBytes, kind: "data", name: corpus, path: paths.join(", ") });
    parents.push({ hash: hashText(train.hash), role: replayedNames.has(corpus) ? "replay" : "data" });
  }
  recorder.artifact({ ...content, kind: "model", name, path: target }, parents);
  return content.hash;
}
