import { dirname, resolve } from "node:path";
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
  const { corporaText, estimateText, planText, secondsOf } = await loadPlanText();
  const plans = variants.map((recipe) => planOf(recipe, { worldSize: options.processes }));
  if (options.json !== true) for (const plan of plans) effects.out(`${planText(plan)}\n`);
  const shape = await modelShape(variants[0], baseFolder);
  const estimates = variants.map((recipe, i) => estimateOf(recipe, plans[i]!, shape));
  const { corpusSizes } = await import("perennial/run");
  const corpora = await corpusSizes(variants[0], baseFolder);
  const peak = await peakOf(variants[0].stages[0]!.train.autocastDtype);
  if (options.json === true) {
    const rows = plans.map((plan, i) => ({ ...plan, ...estimates[i]!, seconds: secondsOf(estimates[i]!, peak), corpora }));
    effects.out(`${JSON.stringify(rows, null, 2)}\n`);
  } else effects.out(`${corporaText(corpora, plans[0]!)}\n${estimateText(estimates, peak)}`);
  for (const { memory } of estimates) checkMemory(memory, { processes: options.processes });
}

/** `auto` computes in whichever type is faster here. */
async function peakOf(dtype: "auto" | "float32" | "bfloat16"): Promise<Peak> {
  const { diagnose } = await import("@perennial/torch");
  const { float32Flops, bfloat16Flops } = diagnose();
  const chosen = dtype === "auto" ? (bfloat16Flops > float32Flops ? "bfloat16" : "float32") : dtype;
  return { dtype: chosen, flops: chosen === "bfloat16" ? bfloat16Flops : float32Flops };
}
