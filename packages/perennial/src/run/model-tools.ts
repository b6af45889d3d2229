/** What the command does with one model or tokenizer, outside of a run. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Dtype } from "@perennial/torch";
import { Rejections, readDocuments } from "../corpus/formats/index.ts";
import { batchTokenizerOf, ShardedCorpus, tokenizeCorpus } from "../data/index.ts";
import { FieldError, PerennialError } from "../errors.ts";
import { evaluateHeldOut, type HeldOutResult } from "../evaluate/model/index.ts";
import { isGgufPath, readGgufHeader, type WrittenType } from "../gguf/index.ts";
import type { HuggingFaceConfig } from "../model/config.ts";
import { type Decoder, type GgufExport, loadModel, openModelFiles, readConfig, saveModel, writeGgufModel } from "../model/index.ts";
import { openTokenizerOf, promptIds, type Tokenizer, tokenizerEntries } from "../tokenizer/index.ts";

export interface OpenedModel {
  readonly model: Decoder;
  readonly rawConfig: HuggingFaceConfig;
  readonly tokenizer: Tokenizer;
  /** The ids of a prompt, with the token before it that the model expects. */
  promptIds(prompt: string): number[];
}

/** A model folder, or a GGUF file, with its tokenizer; their sizes must agree. */
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

const DTYPES = ["float32", "bfloat16", "float16"] as const;

/** A checkpoint of a run holds its model in a folder of its own. */
const modelOf = (source: string) => (existsSync(join(source, "state.json")) ? join(source, "model") : source);

/**
 * Writes a model folder for other tools: weights, config and tokenizer. From a GGUF file as well. The folder appears when it is whole.
 * `dtype`: of the weights; default: as they are.
 */
export async function exportModel(source: string, target: string, options: { dtype?: Dtype; maxShardBytes?: number }): Promise<void> {
  const folder = modelOf(source);
  if (existsSync(target) && (!statSync(target).isDirectory() || readdirSync(target).length > 0))
    throw new FieldError("EXPORT_TARGET", {
      at: target,
      expected: "a folder that does not exist or is empty",
      todo: "choose another, or delete it",
    });
  if (options.dtype !== undefined && !(DTYPES as readonly string[]).includes(options.dtype))
    throw new FieldError("EXPORT_DTYPE", { at: "--dtype", expected: `one of ${DTYPES.join(", ")}`, received: options.dtype });
  const tokenizer = await tokenizerIn(folder);
  const { model, rawConfig } = loadModel(folder);
  const dtype = options.dtype ?? weightsDtype(folder);
  mkdirSync(dirname(target), { recursive: true });
  const partial = mkdtempSync(`${target}.partial-`);
  try {
    saveModel(partial, model, {
      ...options,
      dtype,
      rawConfig,
      ...(tokenizer === undefined ? {} : { tokenizerVocabSize: tokenizer.vocabSize }),
    });
    await tokenizer?.save(partial);
    chmodSync(partial, 0o777 & ~process.umask());
    if (existsSync(target)) rmdirSync(target);
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

const hasTokenizer = (path: string) =>
  isGgufPath(path) ? readGgufHeader(path).metadata.has("tokenizer.ggml.tokens") : existsSync(join(path, "tokenizer_config.json"));
const tokenizerIn = async (path: string) => (hasTokenizer(path) ? openTokenizerOf(path) : undefined);

/** What most of the weights are stored as. Quantized ones are float32 here: their values exactly. */
function weightsDtype(path: string): Dtype {
  const { reader } = openModelFiles(path);
  const values = new Map<Dtype, number>();
  for (const name of reader.names) {
    const { dtype, shape } = reader.describe(name);
    values.set(dtype, (values.get(dtype) ?? 0) + shape.reduce((product, size) => product * size, 1));
  }
  reader.close();
  return [...values].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

const GGUF_TYPES: Readonly<Record<string, WrittenType>> = { f32: "F32", f16: "F16", bf16: "BF16", q8_0: "Q8_0" };

/** Writes a GGUF file for llama.cpp: weights, configuration, tokenizer, chat template. Tensor by tensor; the file appears when it is whole. */
export async function exportGguf(
  source: string,
  target: string,
  options: { type: string; onTensor?: (done: number, total: number) => void },
): Promise<GgufExport> {
  const folder = modelOf(source);
  const type = GGUF_TYPES[options.type];
  if (type === undefined)
    throw new FieldError("EXPORT_TYPE", { at: "--type", expected: `one of ${Object.keys(GGUF_TYPES).join(", ")}`, received: options.type });
  if (existsSync(target))
    throw new FieldError("EXPORT_TARGET", { at: target, expected: "a path that does not exist", todo: "choose another, or delete it" });
  const { config } = readConfig(folder);
  const tokenizer = await tokenizerIn(folder);
  return writeGgufModel(folder, target, {
    type,
    name: basename(folder).replace(/\.gguf$/i, ""),
    ...(tokenizer === undefined ? {} : { tokenizer: tokenizerEntries(tokenizer, config.vocabSize) }),
    ...(options.onTensor === undefined ? {} : { onTensor: options.onTensor }),
  });
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
