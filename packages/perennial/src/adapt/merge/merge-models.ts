/** Models of one shape → one model, streaming from safetensors to safetensors. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Dtype, scope } from "@perennial/torch";
import { FieldError } from "../../errors.ts";
import { formatConfig, type HuggingFaceConfig } from "../../model/index.ts";
import { stream } from "../../stream.ts";
import { TOKENIZER_FILES } from "../../tokenizer/index.ts";
import {
  bytesOf,
  checkOutput,
  copyCarried,
  type OutputOptions,
  type OutputTensor,
  planShards,
  type Shards,
  shardsOf,
  writeWeights,
  writeWhole,
} from "../folder/index.ts";
import { checkSameConfig, checkSameTensors, chooseTokenizer, type Input, isFloating, openInput } from "./inputs.ts";
import { linear } from "./linear.ts";
import { type Merge, type MergeSpec, mergeSchema } from "./schema.ts";
import { type Setting, settingAt } from "./setting.ts";
import { slerp } from "./slerp.ts";
import { dare, taskArithmetic, ties } from "./task-vectors.ts";
import { ranges, type Values, working } from "./values.ts";

export interface MergeOptions extends OutputOptions {
  /** Relative paths start here. */
  readonly baseFolder?: string;
  /** Everything is checked and nothing is written. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onTensor?: (done: number, total: number) => void;
}

export interface MergeReport {
  readonly method: Merge["method"];
  readonly output: string;
  /** The folder whose configuration and other files the merged model gets. */
  readonly source: string;
  /** The folder whose tokenizer it gets. */
  readonly tokenizer: string | null;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly dtypes: readonly string[];
  readonly files: readonly string[];
  /** What differs between the models, and is allowed to. */
  readonly notes: readonly string[];
}

/**
 * Writes the merged model to `output`: weights, and every other file as in the base (or the first model, where the method has
 * no base). The folder appears when it is whole. Memory: some ranges of a tensor, less than two tensors and the result, for
 * any number of models. Errors, before anything is written: what the models differ in; a setting that says nothing for a tensor.
 */
export async function mergeModels(spec: MergeSpec, output: string, options: MergeOptions = {}): Promise<MergeReport> {
  const merge = mergeSchema.parse(spec);
  const locate = (path: string) => resolve(options.baseFolder ?? ".", path);
  const paths = merge.models.map((model) => locate(typeof model === "string" ? model : model.path));
  const base = "base" in merge ? locate(merge.base) : undefined;
  const place = locate(output);
  checkOutput(place, [...(base === undefined ? [] : [base]), ...paths], options);
  const opened: Input[] = [];
  const open = (path: string): Input => {
    const found = opened.find((input) => input.path === path);
    if (found === undefined) opened.push(openInput(path));
    return found ?? opened.at(-1)!;
  };
  try {
    const source = open(base ?? paths[0]!);
    const models = paths.map(open);
    for (const input of opened) checkSameTensors(source, input);
    const notes = opened.flatMap((input) => checkSameConfig(source, input));
    const chosen = chosenTokenizer(merge, locate, opened);
    const tokenizer = chooseTokenizer(source, opened, chosen);
    const tensors = outputTensors(merge, source, models, options.signal);
    const shards = merge.maxShardBytes === undefined ? shardsOf(source.path) : planShards(tensors, merge.maxShardBytes);
    const report: MergeReport = {
      ...{ method: merge.method, output: place, source: source.path, tokenizer: tokenizer.folder },
      tensors: tensors.length,
      parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
      bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
      dtypes: [...new Set(tensors.map(({ dtype }) => dtype))],
      files: [...shards.keys()],
      notes: [...notes, ...tokenizer.notes],
    };
    if (options.dryRun !== true) await write(report, tensors, shards, { source, chosen, dtype: merge.dtype }, options);
    return report;
  } finally {
    for (const { reader } of opened) reader.close();
  }
}

function chosenTokenizer({ tokenizer }: Merge, locate: (path: string) => string, inputs: readonly Input[]): Input | undefined {
  if (tokenizer === undefined) return undefined;
  const chosen = inputs.find(({ path }) => path === locate(tokenizer));
  if (chosen === undefined)
    throw new FieldError("MERGE_TOKENIZER", {
      at: "tokenizer",
      expected: `one of ${inputs.map(({ path }) => path).join(", ")}`,
      received: tokenizer,
    });
  return chosen;
}

function outputTensors(merge: Merge, source: Input, models: readonly Input[], signal?: AbortSignal): OutputTensor[] {
  const layers = source.config.numHiddenLayers;
  return [...source.stored].map(([name, stored]): OutputTensor => {
    const { dtype, shape } = source.reader.describe(stored);
    // Integer buffers have no mean; they are as in the source.
    if (!isFloating(dtype)) return { name: stored, dtype, shape, write: (append) => scope(() => append(source.reader.read(stored))) };
    const layer = /\.(?:layers|h|blocks)\.(\d+)\./.exec(name)?.[1];
    const depth = layer === undefined || layers < 2 ? 0 : Number(layer) / (layers - 1);
    const plan = planTensor(merge, name, depth);
    return {
      ...{ name: stored, dtype: merge.dtype ?? (dtype as Dtype), shape },
      async write(append) {
        const values = plan(
          valuesIn(source, name),
          models.map((model) => valuesIn(model, name)),
        );
        for (const [start, end] of ranges(values.numel)) {
          scope(() => append(values.read(start, end)));
          await setImmediate(); // Ctrl-C is heard here
          signal?.throwIfAborted();
        }
      },
    };
  });
}

function valuesIn({ reader, stored }: Input, name: string): Values {
  const own = stored.get(name)!;
  const numel = reader.describe(own).shape.reduce((product, size) => product * size, 1);
  return { numel, read: (start, end) => scope(() => working(reader.readFlat(own, start, end))) };
}

/**
 * What a merge does with one tensor. `depth`: 0 in the first layer, 1 in the last. `source`: the base, or the first model.
 * Settings are looked up at once, so that one without a value for this tensor is told before anything is written.
 */
export function planTensor(merge: Merge, name: string, depth: number): (source: Values, models: readonly Values[]) => Values {
  const at = (setting: Setting, field: string) => settingAt(setting, { tensor: name, depth, field });
  if (merge.method === "slerp") {
    const t = at(merge.t, "t");
    return (_, [a, b]) => slerp(a!, b!, t);
  }
  const weights = merge.models.map(({ weight }, i) => at(weight, `models[${i}].weight`));
  if (merge.method === "linear") {
    const { normalize } = merge;
    if (normalize && weights.reduce((sum, weight) => sum + weight, 0) === 0)
      throw new FieldError("MERGE_RECIPE", {
        at: "weight",
        expected: `a sum that is not zero, or normalize: false (${name})`,
        received: weights,
      });
    return (_, models) => linear(models, weights, normalize);
  }
  const scale = at(merge.scale, "scale");
  if (merge.method === "taskArithmetic") return (base, models) => taskArithmetic({ base, models, weights, scale });
  const densities = merge.models.map(({ density }, i) => at(density, `models[${i}].density`));
  if (merge.method === "ties") return (base, models) => ties({ base, models, weights, scale }, densities);
  const { rescale, elect, seed } = merge;
  const seeds = merge.models.map((_, i) => stream(seed, `dare/${i}/${name}`).uint32());
  return (base, models) => dare({ base, models, weights, scale }, { densities, seeds, rescale, elect });
}

/** Files that name tokens by their ids. */
const ofTokenizer = new Set([...TOKENIZER_FILES, "generation_config.json"]);

async function write(
  { output, bytes }: MergeReport,
  tensors: readonly OutputTensor[],
  shards: Shards,
  { source, chosen, dtype }: { source: Input; chosen: Input | undefined; dtype: Dtype | undefined },
  options: MergeOptions,
): Promise<void> {
  await writeWhole(output, bytes, async (folder) => {
    await writeWeights(folder, tensors, shards, options.onTensor);
    copyCarried(source.path, folder, (file) => chosen === undefined || !ofTokenizer.has(file));
    if (chosen !== undefined) copyCarried(chosen.path, folder, (file) => ofTokenizer.has(file));
    const changes = {
      ...(dtype === undefined ? {} : { [source.raw.dtype === undefined ? "torch_dtype" : "dtype"]: dtype }),
      ...specialTokens(chosen),
    };
    // Untouched where nothing changes.
    if (Object.keys(changes).length > 0) writeFileSync(join(folder, "config.json"), formatConfig({ ...source.raw, ...changes }));
  });
}

function specialTokens(chosen: Input | undefined): HuggingFaceConfig {
  const fields = ["bos_token_id", "eos_token_id", "pad_token_id"].filter((field) => chosen?.raw[field] !== undefined);
  return Object.fromEntries(fields.map((field) => [field, chosen!.raw[field]]));
}
