import { resolve } from "node:path";
import { FieldError } from "perennial";
import { byteCount, verb } from "../verb.ts";

interface Options {
  dtype?: "float32" | "bfloat16" | "float16";
  maxShardBytes?: number;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial import smollm2.Q4_1.gguf models/smollm2 --dtype bfloat16
  perennial generate smollm2.Q4_1.gguf --prompt "Once"    (a GGUF file serves as a model by itself, too)`;

export default verb((command, effects) => {
  command
    .argument("<model>", "a GGUF file")
    .argument("<folder>", "where the Hugging Face folder goes; it must not exist or be empty")
    .option("--dtype <type>", "type of the weights: float32, bfloat16 or float16 (default: as they are; float32 where they are quantized)")
    .option("--max-shard-bytes <bytes>", "largest file; k, M and G are powers of 1000 (default: 5G)", byteCount)
    .option("--json", "as JSON: the path and the type of the model")
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, folder: string, { dtype, maxShardBytes, json = false }: Options) => {
      const { isGgufPath } = await import("perennial/gguf");
      if (!isGgufPath(model))
        throw new FieldError("IMPORT_FORMAT", {
          at: model,
          expected: "a file that ends with .gguf",
          todo: "a Hugging Face folder needs no import: every verb takes it as it is",
        });
      const { exportModel } = await import("perennial/run");
      const { readConfig } = await import("perennial/model");
      const target = resolve(effects.cwd, folder);
      await exportModel(resolve(effects.cwd, model), target, {
        ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
        ...(dtype === undefined ? {} : { dtype }),
      });
      if (!json) return effects.out(`${folder}\n`);
      const { modelType } = readConfig(target).config;
      effects.out(`${JSON.stringify({ path: target, modelType }, null, 2)}\n`);
    });
});
