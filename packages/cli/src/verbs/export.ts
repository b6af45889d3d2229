import { resolve } from "node:path";
import { byteCount, verb } from "../verb.ts";

interface Options {
  dtype?: "float32" | "bfloat16" | "float16";
  maxShardBytes: number;
}

export default verb((command, effects) => {
  command
    .argument("<model>", "a model folder, or a checkpoint of a run")
    .argument("<folder>", "where the Hugging Face folder goes; it must not exist or be empty")
    .option("--dtype <type>", "type of the weights: float32, bfloat16 or float16 (default: as they are)")
    .option("--max-shard-bytes <bytes>", "largest file; k, M and G are powers of 1000", byteCount, 5e9)
    .action(async (model: string, folder: string, options: Options) => {
      const { exportModel } = await import("perennial/run");
      await exportModel(resolve(effects.cwd, model), resolve(effects.cwd, folder), {
        maxShardBytes: options.maxShardBytes,
        ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
      });
      effects.out(`${folder}\n`);
    });
});
