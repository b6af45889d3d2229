import { dirname, resolve } from "node:path";
import type { Plan, PlannedStage } from "perennial/recipe";
import { printable, table } from "../text.ts";
import { trainRecipe } from "../train-recipe.ts";
import { type StoreOptions, setOption, storeOption, verb } from "../verb.ts";

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
    .option("--until <step>", "stop, resumable, after this step of each run", Number)
    .option("--variant <name>", "only this one: main, or the name of a baseline")
    .option("--quiet", "only warnings and the result")
    .option("--json", "the plan, or the progress, as JSON lines")
    .option("--processes <count>", "processes that train together", Number, 1)
    .action(async (path: string, options: Options) => {
      const { formatCount, loadRecipe, planOf } = await import("perennial/recipe");
      const file = resolve(effects.cwd, path);
      const resolved = loadRecipe(file, { set: options.set });
      if (options.dryRun) {
        const plans = resolved.variants.map((recipe) => planOf(recipe, { worldSize: options.processes }));
        if (options.json) return effects.out(`${JSON.stringify(plans, null, 2)}\n`);
        for (const plan of plans) effects.out(`${planText(plan, formatCount)}\n`);
        return;
      }
      await trainRecipe(resolved, dirname(file), options, effects);
    });
});

function planText(plan: Plan, count: (value: number) => string): string {
  const source = ({ corpus, share, replayed }: PlannedStage["sources"][number]) =>
    `${printable(corpus)} ${share === null ? "by size" : `${Number((100 * share).toFixed(1))} %`}${replayed ? " replayed" : ""}`;
  const rows = plan.stages.map((stage) => [
    printable(stage.name),
    String(stage.steps),
    count(stage.tokensPerStep),
    count(stage.tokens),
    String(stage.evaluations),
    String(stage.checkpoints),
    stage.sources.map(source).join(", "),
  ]);
  const head = ["stage", "steps", "tokens/step", "tokens", "evaluations", "checkpoints", "mixture"];
  return `${printable(plan.variant)}: ${plan.totalSteps} steps, ${count(plan.totalTokens)} tokens\n${table(head, rows, [1, 2, 3, 4, 5])}`;
}
