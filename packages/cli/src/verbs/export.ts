import { resolve } from "node:path";
import { FieldError } from "perennial";
import { byteCount, verb } from "../verb.ts";
import { showTensors } from "../work-status.ts";

interface Options {
  format: string;
  type?: string;
  dtype?: "float32" | "bfloat16" | "float16";
  maxShardBytes?: number;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  perennial export runs/kabyle/model kabyle                                    a Hugging Face folder
  perennial export runs/kabyle/model kabyle-q8.gguf --format gguf --type q8_0  one file for llama.cpp`;

export default verb((command, effects) => {
  command
    .argument("<model>", "a model folder, a checkpoint of a run, or a GGUF file")
    .argument("<output>", "where the folder, or the GGUF file, goes; nothing may be there yet")
    .option("--format <format>", "huggingface: a folder; gguf: one file for llama.cpp, with tokenizer and chat template", "huggingface")
    .option("--type <type>", "of the matrices in a GGUF file: f32, f16, bf16 or q8_0 (default: bf16)")
    .option("--dtype <type>", "type of the weights in a folder: float32, bfloat16 or float16 (default: as they are)")
    .option("--max-shard-bytes <bytes>", "largest file in a folder; k, M and G are powers of 1000 (default: 5G)", byteCount)
    .option("--json", "as JSON: the path, and where llama.cpp's results part from ours")
    .addHelpText("after", EXAMPLES)
    .action(async (model: string, output: string, { format, type, dtype, maxShardBytes, json = false }: Options) => {
      const isGguf = format === "gguf";
      if (!isGguf && format !== "huggingface")
        throw new FieldError("EXPORT_FORMAT", { at: "--format", expected: "huggingface or gguf", received: format });
      const misplaced = isGguf ? (dtype ?? maxShardBytes) : type;
      if (misplaced !== undefined)
        throw new FieldError("EXPORT_FORMAT", {
          at: isGguf ? (dtype === undefined ? "--max-shard-bytes" : "--dtype") : "--type",
          expected: `nothing, with --format ${format}`,
          received: misplaced,
          todo: isGguf ? "use --type for a GGUF file" : "use --dtype for a folder, or --format gguf",
        });
      const { exportGguf, exportModel } = await import("perennial/run");
      const [source, target] = [resolve(effects.cwd, model), resolve(effects.cwd, output)];
      let differences: readonly string[] = [];
      if (isGguf) {
        const status = showTensors(effects, output);
        ({ differences } = await exportGguf(source, target, { type: type ?? "bf16", onTensor: status.update }).finally(status.clear));
      } else {
        await exportModel(source, target, {
          ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
          ...(dtype === undefined ? {} : { dtype }),
        });
      }
      if (json) return effects.out(`${JSON.stringify({ path: target, format, differences }, null, 2)}\n`);
      for (const difference of differences) effects.err(`note: ${difference}\n`);
      effects.out(`${output}\n`);
    });
});
