import { resolve } from "node:path";
import { interruptible } from "../interrupt.ts";
import { recordLineage, type StoreOptions, storeOption, verb } from "../verb.ts";
import { showTensors } from "../work-status.ts";

export const adapterVerbs: readonly string[] = ["merge", "unmerge", "info"];

interface WriteOptions extends StoreOptions {
  output: string;
  overwrite?: boolean;
  json?: boolean;
}

export default verb((command, effects) => {
  const at = (path: string) => resolve(effects.cwd, path);
  storeOption(command.command("merge"))
    .description("write the base model with a LoRA adapter in its weights")
    .argument("<base>", "the model folder that the adapter was trained on")
    .argument("<adapter>", "a PEFT folder: adapter_config.json and adapter_model.safetensors")
    .requiredOption("--output <folder>", "where the merged model goes; new or empty")
    .option("--reversible", "keep the changed weights as they were beside the merged ones, so that unmerge restores every bit")
    .option("--overwrite", "replace the model that is at --output")
    .option("--json", "what was changed, as JSON")
    .action(async (base: string, adapter: string, options: WriteOptions & { reversible?: boolean }) => {
      const { mergeAdapterFolder } = await import("perennial/adapt");
      const [output, { overwrite = false, reversible = false }] = [at(options.output), options];
      const status = showTensors(effects, options.output);
      const report = await interruptible(effects, "stopping; nothing of the merged model is kept", (signal) =>
        mergeAdapterFolder(at(base), at(adapter), output, { overwrite, reversible, signal, onTensor: status.update }),
      ).finally(status.clear);
      await recordLineage(options, effects, output, [at(base), at(adapter)]);
      if (options.json === true) return effects.out(`${JSON.stringify(report, null, 2)}\n`);
      if (report.untied)
        effects.err("note: the head was tied to the embedding, and the adapter changes one of them: it is a matrix of its own now\n");
      effects.out(`${options.output}: ${base} with ${adapter}, ${report.changed.length} tensors changed\n`);
    });
  storeOption(command.command("unmerge"))
    .description("write the model as it was before an adapter was merged into it")
    .argument("<merged>", "a folder that adapter merge --reversible wrote")
    .argument("[adapter]", "the adapter that was merged; needed with --approximate")
    .requiredOption("--output <folder>", "where the model goes; new or empty")
    .option("--approximate", "where the merge was not reversible, subtract the adapter, to within rounding")
    .option("--overwrite", "replace the model that is at --output")
    .option("--json", "what was restored, as JSON")
    .action(async (merged: string, adapter: string | undefined, options: WriteOptions & { approximate?: boolean }) => {
      const { unmergeAdapterFolder } = await import("perennial/adapt");
      const [output, { overwrite = false, approximate = false }] = [at(options.output), options];
      const status = showTensors(effects, options.output);
      const report = await interruptible(effects, "stopping; nothing of the restored model is kept", (signal) =>
        unmergeAdapterFolder(at(merged), output, {
          ...{ overwrite, approximate, signal, onTensor: status.update },
          ...(adapter === undefined ? {} : { adapter: at(adapter) }),
        }),
      ).finally(status.clear);
      await recordLineage(options, effects, output, [at(merged)]);
      if (options.json === true) return effects.out(`${JSON.stringify(report, null, 2)}\n`);
      effects.out(
        `${options.output}: ${report.changed.length} tensors as they were, ${report.exact ? "bit for bit" : "to within rounding"}\n`,
      );
    });
  command
    .command("info")
    .description("what an adapter changes, and by how many parameters")
    .argument("<adapter>", "a PEFT folder")
    .option("--json", "as JSON")
    .action(async (adapter: string, options: { json?: boolean }) => {
      const { readAdapter } = await import("perennial/adapt");
      const { rawConfig, modules, saved } = readAdapter(at(adapter));
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
