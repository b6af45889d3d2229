import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTrainRecipe } from "../lazy.ts";
import { type StoreOptions, storeOption, verb } from "../verb.ts";

interface Options extends StoreOptions {
  output: string;
  quiet?: boolean;
}

export default verb((command, effects) => {
  storeOption(command)
    .option("--output <folder>", "where models and report go; what was cut short there goes on", "runs/quickstart")
    .option("--quiet", "only the result")
    .action(async (options: Options) => {
      const { loadRecipe } = await import("perennial/recipe");
      const { trainRecipe } = await loadTrainRecipe();
      const examples = fileURLToPath(new URL("../../../../examples/quickstart/", import.meta.url));
      const output = resolve(effects.cwd, options.output);
      effects.err(
        "A small model that knows English learns Basque, twice with the same budget:\n" +
          "  naive   on Basque alone\n" +
          "  main    with the learning rate warmed up again and a quarter of English replayed\n" +
          "Watch what becomes of its English (bits per byte: lower is better).\n\n",
      );
      const resolved = loadRecipe(join(examples, "basque.yaml"), { set: [`output=${output}`] });
      const summaries = await trainRecipe(resolved, examples, { ...options, resume: true }, effects);
      for (const { result } of summaries)
        if (result.modelFolder !== null) effects.out(`model   ${relative(effects.cwd, result.modelFolder)}\n`);
    });
});
