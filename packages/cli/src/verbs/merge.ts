import { basename, dirname, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { FieldError } from "perennial";
import { interruptible } from "../interrupt.ts";
import { byteCount, recordLineage, type StoreOptions, storeOption, verb, wholeNumber } from "../verb.ts";
import { showTensors } from "../work-status.ts";

interface Options extends StoreOptions {
  output: string;
  method?: string;
  weights?: number[];
  densities?: number[];
  base?: string;
  t?: number[];
  scale?: number;
  seed?: number;
  dtype?: string;
  tokenizer?: string;
  maxShardBytes?: number;
  overwrite?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial merge merge.yaml --output merged
  perennial merge --method linear --weights 2,1 modelA modelB --output merged
  perennial merge --method slerp --t 0,0.5,1 modelA modelB --output merged       t over the layers, from the first to the last
  perennial merge --method ties --base base --densities 0.3,0.3 modelA modelB --output merged --dry-run

merge.yaml holds the same fields: method, models (path, weight, density), base, scale, t, seed, dtype, tokenizer, maxShardBytes; for DARE
also rescale and elect, for linear normalize. Paths are relative to it. t, weight, density and scale may be lists over the layers, or
cases by name: t: [{ filter: self_attn, value: [0, 1] }, { value: 0.5 }].`;

export default verb((command, effects) => {
  storeOption(command)
    .argument("<recipe or models...>", "a YAML file that says what to merge; or model folders, with --method")
    .requiredOption("--output <folder>", "where the merged model goes; new or empty")
    .option("--method <name>", "linear, slerp, taskArithmetic, ties or dare")
    .option("--weights <numbers>", "one for each model, separated by commas (default: 1)", numbers)
    .option("--densities <numbers>", "of ties and dare: the share of each task vector that is kept, 0–1 (default: 0.5)", numbers)
    .option("--base <model>", "of taskArithmetic, ties and dare: the model that all came from")
    .option("--t <numbers>", "of slerp: 0 is the first model, 1 the second; several are spread over the layers", numbers)
    .option("--scale <number>", "of taskArithmetic, ties and dare: multiplies the sum of the task vectors (default: 1)", number)
    .option("--seed <number>", "of dare: decides which elements are kept (default: 0)", wholeNumber)
    .option("--dtype <type>", "of the merged weights: float32, bfloat16 or float16 (default: as in the base, or the first model)")
    .option("--tokenizer <model>", "the one of the models whose tokenizer goes along, where they have different ones")
    .option("--max-shard-bytes <bytes>", "largest file; k, M and G are powers of 1000 (default: files as in the base)", byteCount)
    .option("--overwrite", "replace the model that is at --output")
    .option("--dry-run", "check everything and write nothing")
    .option("--json", "what was merged, as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (given: string[], options: Options) => {
      const { checkMerge, loadMerge, mergeModels } = await import("perennial/adapt");
      const fromFile = options.method === undefined;
      if (fromFile && given.length !== 1)
        throw new FieldError("MERGE", { at: "arguments", expected: "one recipe, or model folders with --method", received: given });
      const baseFolder = fromFile ? dirname(resolve(effects.cwd, given[0]!)) : effects.cwd;
      if (fromFile) checkAlone(options);
      const written = fromFile
        ? { ...loadMerge(resolve(effects.cwd, given[0]!)), ...common(options, effects.cwd) }
        : specOf(given, options, effects.cwd);
      const merge = checkMerge(written, "options");
      const output = resolve(effects.cwd, options.output);
      const { overwrite = false, dryRun = false } = options;
      const status = showTensors(effects, options.output);
      const report = await interruptible(effects, "stopping; nothing of the merged model is kept", (signal) =>
        mergeModels(merge, output, { baseFolder, overwrite, dryRun, signal, onTensor: status.update }),
      ).finally(status.clear);
      const models = merge.models.map((model) => (typeof model === "string" ? model : model.path));
      const parents = [...("base" in merge ? [merge.base] : []), ...models].map((path) => resolve(baseFolder, path));
      if (!dryRun) await recordLineage(options, effects, output, parents, { merge });
      if (options.json === true) return effects.out(`${JSON.stringify({ ...report, dryRun }, null, 2)}\n`);
      for (const note of report.notes) effects.err(`note: ${note}\n`);
      const { tensors, parameters, bytes, dtypes, files } = report;
      const what = `${merge.method} of ${models.map((path) => basename(path)).join(", ")}`;
      const size = `${tensors} tensors, ${parameters} parameters, ${dtypes.join(" and ")}, ${bytes} bytes in ${files.length} file${files.length === 1 ? "" : "s"}`;
      effects.out(`${options.output}: ${what}${dryRun ? ", not written" : ""}\n${size}\n`);
    });
});

function number(written: string): number {
  const value = written.trim() === "" ? Number.NaN : Number(written);
  if (!Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

function numbers(written: string): number[] {
  const values = written.split(",").map((one) => (one.trim() === "" ? Number.NaN : Number(one)));
  if (values.some((value) => !Number.isFinite(value))) throw new InvalidArgumentError("Expected numbers separated by commas.");
  return values;
}

/** What a recipe may be told as well. */
function common({ dtype, tokenizer, maxShardBytes }: Options, cwd: string): Record<string, unknown> {
  return {
    ...(dtype === undefined ? {} : { dtype }),
    ...(tokenizer === undefined ? {} : { tokenizer: resolve(cwd, tokenizer) }),
    ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
  };
}

/** What stands in a recipe is not said twice. */
function checkAlone(options: Options): void {
  for (const name of ["weights", "densities", "base", "t", "scale", "seed"] as const)
    if (options[name] !== undefined)
      throw new FieldError("MERGE", {
        at: `--${name}`,
        expected: "nothing, with a recipe",
        received: options[name],
        todo: "write it into the recipe",
      });
}

function specOf(paths: readonly string[], options: Options, cwd: string): unknown {
  const { method, weights, densities, base, t, scale, seed } = options;
  for (const [name, values] of Object.entries({ weights, densities }))
    if (values !== undefined && values.length !== paths.length)
      throw new FieldError("MERGE", { at: `--${name}`, expected: `${paths.length} numbers, one for each model`, received: values });
  if (method === "slerp" && weights !== undefined)
    throw new FieldError("MERGE", { at: "--weights", expected: "nothing, with --method slerp", received: weights, todo: "use --t" });
  const models = paths.map((path, i) => ({
    path,
    ...(weights === undefined ? {} : { weight: weights[i] }),
    ...(densities === undefined ? {} : { density: densities[i] }),
  }));
  // What does not fit together is told by the schema.
  return {
    method,
    models: method === "slerp" ? paths : models,
    ...(base === undefined ? {} : { base }),
    ...(t === undefined ? {} : { t: t.length === 1 ? t[0] : t }),
    ...(scale === undefined ? {} : { scale }),
    ...(seed === undefined ? {} : { seed }),
    ...common(options, cwd),
  };
}
