import { basename, dirname, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { FieldError } from "perennial";
import { recordLineage, type StoreOptions, storeOption, verb } from "../verb.ts";

interface Options extends StoreOptions {
  output: string;
  method?: string;
  weights?: number[];
  densities?: number[];
  base?: string;
  t?: number;
}

const EXAMPLES = `
Examples:
  perennial merge merge.yaml --output merged
  perennial merge --method linear --weights 2,1 modelA modelB --output merged
  perennial merge --method ties --base base --densities 0.3,0.3 modelA modelB --output merged

merge.yaml holds the same fields: method, models (path, weight, density), base, scale, t, seed; paths are relative to it.`;

export default verb((command, effects) => {
  storeOption(command)
    .argument("<recipe or models...>", "a YAML file that says what to merge; or model folders, with --method")
    .requiredOption("--output <folder>", "where the merged model goes; it must not hold weights")
    .option("--method <name>", "linear, slerp, taskArithmetic, ties or dare")
    .option("--weights <numbers>", "one for each model, separated by commas (default: 1)", numbers)
    .option("--densities <numbers>", "of ties and dare: the share of each task vector that is kept, 0–1", numbers)
    .option("--base <model>", "of taskArithmetic, ties and dare: the model that all came from")
    .option("--t <number>", "of slerp: 0 is the first model, 1 the second", Number)
    .addHelpText("after", EXAMPLES)
    .action(async (given: string[], options: Options) => {
      const { checkMerge, loadMerge, mergeModels } = await import("perennial/adapt");
      const fromFile = options.method === undefined;
      if (fromFile && given.length !== 1)
        throw new FieldError("MERGE", { at: "arguments", expected: "one recipe, or model folders with --method", received: given });
      const baseFolder = fromFile ? dirname(resolve(effects.cwd, given[0]!)) : effects.cwd;
      const merge = fromFile ? loadMerge(resolve(effects.cwd, given[0]!)) : checkMerge(specOf(given, options), "options");
      const output = resolve(effects.cwd, options.output);
      mergeModels(merge, output, { baseFolder });
      const models = merge.models.map((model) => (typeof model === "string" ? model : model.path));
      const parents = [...("base" in merge ? [merge.base] : []), ...models].map((path) => resolve(baseFolder, path));
      await recordLineage(options, effects, output, parents, { merge });
      effects.out(`${options.output}: ${merge.method} of ${models.map((path) => basename(path)).join(", ")}\n`);
    });
});

function numbers(written: string): number[] {
  const values = written.split(",").map((one) => (one.trim() === "" ? Number.NaN : Number(one)));
  if (values.some((value) => !Number.isFinite(value))) throw new InvalidArgumentError("Expected numbers separated by commas.");
  return values;
}

function specOf(paths: readonly string[], { method, weights, densities, base, t }: Options): unknown {
  for (const [name, values] of Object.entries({ weights, densities }))
    if (values !== undefined && values.length !== paths.length)
      throw new FieldError("MERGE", { at: `--${name}`, expected: `${paths.length} numbers, one for each model`, received: values });
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
    ...(t === undefined ? {} : { t }),
  };
}
