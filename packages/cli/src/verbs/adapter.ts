import { resolve } from "node:path";
import { recordLineage, type StoreOptions, storeOption, verb } from "../verb.ts";

export const adapterVerbs: readonly string[] = ["merge", "info"];

export default verb((command, effects) => {
  storeOption(command.command("merge"))
    .description("write the base model with a LoRA adapter in its weights")
    .argument("<base>", "the model folder that the adapter was trained on")
    .argument("<adapter>", "a PEFT folder: adapter_config.json and adapter_model.safetensors")
    .requiredOption("--output <folder>", "where the merged model goes; it must not hold weights")
    .action(async (base: string, adapter: string, options: StoreOptions & { output: string }) => {
      const { mergeAdapterFolder } = await import("perennial/adapt");
      const [model, lora, output] = [base, adapter, options.output].map((path) => resolve(effects.cwd, path)) as [string, string, string];
      mergeAdapterFolder(model, lora, output);
      await recordLineage(options, effects, output, [model, lora]);
      effects.out(`${options.output}: ${base} with ${adapter}\n`);
    });
  command
    .command("info")
    .description("what an adapter changes, and by how many parameters")
    .argument("<adapter>", "a PEFT folder")
    .option("--json", "as JSON")
    .action(async (adapter: string, options: { json?: boolean }) => {
      const { readAdapter } = await import("perennial/adapt");
      const { rawConfig, modules, saved } = readAdapter(resolve(effects.cwd, adapter));
      const parameters = [...modules.values()].reduce((sum, { a, b }) => sum + a.numel + b.numel, 0);
      const info = {
        base: rawConfig.base_model_name_or_path ?? null,
        rank: rawConfig.r,
        alpha: rawConfig.lora_alpha,
        rankStabilized: rawConfig.use_rslora === true,
        parameters,
        modules: [...modules.keys()],
        replaced: [...saved.keys()],
      };
      if (options.json === true) return effects.out(`${JSON.stringify(info, null, 2)}\n`);
      const { rank, alpha, rankStabilized } = info;
      effects.out(
        `base        ${info.base ?? "not told"}\nrank        ${rank}, alpha ${alpha}${rankStabilized ? ", rank-stabilized" : ""}\n` +
          `parameters  ${parameters}\nmodules     ${info.modules.length}\n${info.modules.map((name) => `  ${name}\n`).join("")}`,
      );
    });
});
