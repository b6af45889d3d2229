import { resolve } from "node:path";
import { PerennialError } from "perennial";
import type { Plan, PlannedStage } from "perennial/recipe";
import { printable, table } from "../text.ts";
import { setOption, verb } from "../verb.ts";

interface Options {
  set: string[];
  dryRun?: boolean;
  json?: boolean;
  processes: number;
}

export default verb((command, effects) => {
  setOption(command)
    .argument("<recipe>", "the recipe, a YAML file")
    .option("--dry-run", "only print the plan")
    .option("--json", "the plan as JSON")
    .option("--processes <count>", "processes that train together", Number, 1)
    .action(async (path: string, options: Options) => {
      const { formatCount, loadRecipe, planOf } = await import("perennial/recipe");
      const { variants } = loadRecipe(resolve(effects.cwd, path), { set: options.set });
      const plans = variants.map((recipe) => planOf(recipe, { worldSize: options.processes }));
      if (!options.dryRun) throw new PerennialError("TRAIN_MISSING", "this build plans runs but has no trainer; add --dry-run");
      if (options.json) return effects.out(`${JSON.stringify(plans, null, 2)}\n`);
      for (const plan of plans) effects.out(`${planText(plan, formatCount)}\n`);
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
