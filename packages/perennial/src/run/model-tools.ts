/** What the command does with one model or tokenizer, outside of a run. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dtype } from "@perennial/torch";
import { Rejections, readDocuments } from "../corpus/formats/index.ts";
import { batchTokenizerOf, ShardedCorpus, tokenizeCorpus } from "../data/index.ts";
import { FieldError, PerennialError } from "../errors.ts";
import { evaluateHeldOut, type HeldOutResult } from "../evaluate/model/index.ts";
import type { HuggingFaceConfig } from "../model/config.ts";
import { type Decoder, loadModel, saveModel } from "../model/index.ts";
import { openTokenizerOf, promptIds, type Tokenizer } from "../tokenizer/index.ts";

export interface OpenedModel {
  readonly model: Decoder;
  readonly rawConfig: HuggingFaceConfig;
  readonly tokenizer: Tokenizer;
  /** The ids of a prompt, with the token before it that the model expects. */
  promptIds(prompt: string): number[];
}

/** A model folder with its tokenizer; their sizes must agree. */
export async function openModel(folder: string): Promise<OpenedModel> {
  const { model, rawConfig } = loadModel(folder);
  const tokenizer = await openTokenizerOf(folder);
  if (tokenizer.vocabSize > model.config.vocabSize)
    throw new PerennialError(
      "MODEL_SIZES",
      `${folder}: the tokenizer knows ${tokenizer.vocabSize} tokens but the model has rows for ${model.config.vocabSize}`,
    );
  return {
    model,
    rawConfig,
    tokenizer,
    promptIds: (prompt) => promptIds(tokenizer, prompt),
  };
}

/** Likelihood of all documents of files or folders. */
export async function evaluateFiles(
  { model, tokenizer }: OpenedModel,
  path: string,
  options: { textField: string; sequenceLength: number; batchSize: number; maxTokens?: number },
): Promise<HeldOutResult> {
  const shardsFolder = mkdtempSync(join(tmpdir(), "perennial-evaluate-"));
  try {
    const { eos, bos } = tokenizer.specialTokens;
    const folder = await tokenizeCorpus({
      paths: [path],
      textField: options.textField,
      shardsFolder,
      tokenizer: batchTokenizerOf(tokenizer),
    });
    const corpus = ShardedCorpus.open(folder);
    const result = evaluateHeldOut(model, corpus, { ...options, prefixTokenId: bos ?? eos, bootstrapResamples: 1000 });
    corpus.close();
    return result;
  } finally {
    rmSync(shardsFolder, { recursive: true, force: true });
  }
}

/** Writes a model folder for other tools: weights, config and tokenizer. */
export async function exportModel(source: string, target: string, options: { dtype?: Dtype; maxShardBytes?: number }): Promise<void> {
  // A checkpoint of a run holds its model in a folder of its own.
  const folder = existsSync(join(source, "state.json")) ? join(source, "model") : source;
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new FieldError("EXPORT_TARGET", {
      at: target,
      expected: "a folder that does not exist or is empty",
      todo: "choose another, or delete it",
    });
  const dtypes = ["float32", "bfloat16", "float16"];
  if (options.dtype !== undefined && !dtypes.includes(options.dtype))
    throw new FieldError("EXPORT_DTYPE", { at: "--dtype", expected: `one of ${dtypes.join(", ")}`, received: options.dtype });
  const { model, rawConfig } = loadModel(folder);
  const tokenizer = existsSync(join(folder, "tokenizer_config.json")) ? await openTokenizerOf(folder) : undefined;
  saveModel(target, model, { ...options, rawConfig, ...(tokenizer === undefined ? {} : { tokenizerVocabSize: tokenizer.vocabSize }) });
  await tokenizer?.save(target);
}

/** The texts of files and folders; broken records are passed over. */
export async function* readTexts(paths: readonly string[], textField = "text"): AsyncGenerator<string> {
  for await (const { text } of readDocuments(paths, { textField, rejections: new Rejections() })) yield text;
}

/** What a text costs in tokens. A word is a run of letters, digits and marks. */
export async function inspectTokenizer(tokenizer: Tokenizer, path: string, textField?: string) {
  let [tokens, words, bytes] = [0, 0, 0];
  for await (const text of readTexts([path], textField)) {
    tokens += tokenizer.encode(text, { addSpecialTokens: false }).length;
    words += text.match(/[\p{L}\p{N}\p{M}]+/gu)?.length ?? 0;
    bytes += Buffer.byteLength(text);
  }
  return { tokens, words, bytes, tokensPerWord: tokens / words, bytesPerToken: bytes / tokens };
}
