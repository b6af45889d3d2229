import { dirname, resolve } from "node:path";
import { Option } from "commander";
import type { Recipe } from "perennial/recipe";
import type { Effects } from "../effects.ts";
import { loadPlanText, loadTrainRecipe } from "../lazy.ts";
import type { Peak } from "../plan-text.ts";
import { isLaunched, trainInProcesses } from "../train-processes.ts";
import { positiveWholeNumber, type StoreOptions, setOption, storeOption, verb } from "../verb.ts";

interface Options extends StoreOptions {
  set: string[];
  dryRun?: boolean;
  json?: boolean;
  quiet?: boolean;
  resume?: boolean;
  until?: number;
  variant?: string;
  processes: number;
  device: "auto" | "cpu" | "cuda";
}

export default verb((command, effects) => {
  storeOption(setOption(command))
    .argument("<recipe>", "the recipe, a YAML file")
    .option("--dry-run", "only print the plan")
    .option("--resume", "go on from the newest checkpoints")
    .option("--until <step>", "stop, resumable, after this step of each run", positiveWholeNumber)
    .option("--variant <name>", "only this one: main, or the name of a baseline")
    .option("--quiet", "only warnings and the result")
    .option("--json", "the plan, or the progress, as JSON lines")
    .option("--processes <count>", "processes of this machine that train together", positiveWholeNumber, 1)
    .addOption(
      new Option("--device <device>", "where the model trains; auto: on a GPU where there is one")
        .choices(["auto", "cpu", "cuda"])
        .default("auto"),
    )
    .action(async (path: string, options: Options) => {
      const { loadRecipe } = await import("perennial/recipe");
      const file = resolve(effects.cwd, path);
      const resolved = loadRecipe(file, { set: options.set });
      if (options.dryRun === true) return dryRun(resolved.variants, dirname(file), options, effects);
      if (options.processes > 1 && !isLaunched(effects)) return trainInProcesses(options.processes, effects);
      const { trainRecipe } = await loadTrainRecipe();
      await trainRecipe(resolved, dirname(file), options, effects);
    });
});

/** Prints what would happen, then what it costs; refuses what cannot be: a model or text that is not there, too little memory. */
async function dryRun(variants: readonly [Recipe, ...Recipe[]], baseFolder: string, options: Options, effects: Effects): Promise<void> {
  const { estimateOf, modelShape, planOf } = await import("perennial/recipe");
  const { checkMemory } = await import("perennial/model");
  const { corporaText, estimateText, planText, samplingText, secondsOf } = await loadPlanText();
  const plans = variants.map((recipe) => planOf(recipe, { worldSize: options.processes }));
  if (options.json !== true) for (const plan of plans) effects.out(`${planText(plan)}\n`);
  const shape = await modelShape(variants[0], baseFolder);
  const estimates = variants.map((recipe, i) => estimateOf(recipe, plans[i]!, shape));
  const { corpusSizes } = await import("perennial/run");
  const corpora = await corpusSizes(variants[0], baseFolder);
  const { chooseAutocastDtype, chooseDevice, measurePeakFlops, memoryOf } = await import("perennial/train");
  const device = chooseDevice(options.device).value;
  const dtype = chooseAutocastDtype(variants[0].stages[0]!.train.autocastDtype, device).value;
  const peak: Peak = { dtype, flops: measurePeakFlops(dtype, device) };
  if (options.json === true) {
    const rows = plans.map((plan, i) => ({ ...plan, ...estimates[i]!, seconds: secondsOf(estimates[i]!, peak), corpora }));
    effects.out(`${JSON.stringify(rows, null, 2)}\n`);
  } else
    effects.out(`${corporaText(corpora, plans[0]!)}${samplingText(variants[0], plans[0]!, corpora)}\n${estimateText(estimates, peak)}`);
  for (const { memory } of estimates)
    checkMemory(memory, { processes: device === "cpu" ? options.processes : 1, available: memoryOf(device) });
}
