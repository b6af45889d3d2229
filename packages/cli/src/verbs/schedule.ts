import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { FieldError } from "perennial";
import type { Effects } from "../effects.ts";
import { terminalPlot } from "../terminal-plot.ts";
import { setOption, verb } from "../verb.ts";

interface Options {
  set: string[];
  svg?: string;
  html?: string;
  json?: boolean;
}

const POINTS = 400;

export default verb((command, effects) => {
  setOption(command)
    .argument("<recipe>", "the recipe, a YAML file")
    .option("--svg <file>", "write the curve as a picture")
    .option("--html <file>", "write the curve as a page")
    .option("--json", "steps and learning rates as JSON")
    .action(async (path: string, options: Options) => {
      const { learningRateOf, loadRecipe, planOf } = await import("perennial/recipe");
      const { samplePoints } = await import("perennial/train/schedule");
      const [recipe] = loadRecipe(resolve(effects.cwd, path), { set: options.set }).variants;
      const plan = planOf(recipe);
      if (plan.totalSteps < 1) throw new FieldError("SCHEDULE_EMPTY", { at: path, expected: "at least one step" });
      const points = samplePoints(learningRateOf(recipe, plan), plan.totalSteps - 1, POINTS);
      if (options.json) return effects.out(`${JSON.stringify(points)}\n`);
      const width = Math.max(20, Math.min(100, effects.columns) - 12);
      const plotted = points.map(({ step, learningRate }) => ({ x: step, y: learningRate }));
      effects.out(terminalPlot(plotted, { width, height: 12, formatX: String, formatY: rate }));
      for (const { name, startStep, steps } of plan.stages) effects.out(`${name}: steps ${startStep} – ${startStep + steps}\n`);
      if (options.svg !== undefined || options.html !== undefined) await draw(points, plan.stages, recipe.name, options, effects);
    });
});

const rate = (value: number) => (value === 0 ? "0" : value.toExponential(1));

async function draw(
  points: readonly { step: number; learningRate: number }[],
  stages: readonly { name: string; startStep: number }[],
  title: string,
  { svg, html }: Options,
  effects: Effects,
): Promise<void> {
  const { chart, htmlPage, standaloneSvg } = await import("perennial/report");
  const line = { label: title, color: 0, x: points.map(({ step }) => step), y: points.map(({ learningRate }) => learningRate) };
  const marks = stages.map(({ name, startStep }) => ({ x: startStep, label: name }));
  const spec = { title: "Learning rate", x: "steps", y: "η", lines: [line], marks, yFromZero: true };
  if (svg !== undefined) writeFileSync(resolve(effects.cwd, svg), standaloneSvg(spec));
  if (html !== undefined) writeFileSync(resolve(effects.cwd, html), htmlPage(`${title} – learning rate`, chart(spec)));
  for (const file of [svg, html]) if (file !== undefined) effects.out(`Wrote ${file}\n`);
}
