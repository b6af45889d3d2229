import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { FieldError } from "perennial";
import type { Schedule } from "perennial/train/schedule";
import type { Effects } from "../effects.ts";
import { terminalPlot } from "../terminal-plot.ts";
import { printable } from "../text.ts";
import { positiveWholeNumber, setOption, verb } from "../verb.ts";

interface Options {
  set: string[];
  steps: number;
  svg?: string;
  html?: string;
  json?: boolean;
}

const POINTS = 400;

export default verb((command, effects) => {
  setOption(command)
    .argument(
      "<recipe>",
      "a recipe, or a schedule by itself: a YAML file, or YAML as it is, e.g. '{ schedule: cosine, maxLearningRate: 3e-4 }'",
    )
    .option("--steps <count>", "steps of a schedule by itself", positiveWholeNumber, 1000)
    .option("--svg <file>", "write the curve as a picture")
    .option("--html <file>", "write the curve as a page")
    .option("--json", "steps and learning rates as JSON")
    .action(async (path: string, options: Options) => {
      const { samplePoints } = await import("perennial/train/schedule");
      const { name, stages, totalSteps, learningRate } = await curveOf(path, options, effects.cwd);
      if (totalSteps < 1) throw new FieldError("SCHEDULE_EMPTY", { at: path, expected: "at least one step", received: totalSteps });
      const points = samplePoints(learningRate, totalSteps - 1, POINTS);
      if (options.json) return effects.out(`${JSON.stringify(points)}\n`);
      const width = Math.max(20, Math.min(100, effects.columns) - 12);
      const plotted = points.map(({ step, learningRate }) => ({ x: step, y: learningRate }));
      effects.out(terminalPlot(plotted, { width, height: 12, formatX: String, formatY: rate }));
      for (const stage of stages) effects.out(`${printable(stage.name)}: steps ${stage.startStep} – ${stage.startStep + stage.steps}\n`);
      if (options.svg !== undefined || options.html !== undefined) await draw(points, stages, name, options, effects);
    });
});

interface Curve {
  name: string;
  stages: readonly { name: string; startStep: number; steps: number }[];
  totalSteps: number;
  learningRate: Schedule;
}

/** Of a recipe, or of a schedule by itself: in a file, or written as the argument. */
async function curveOf(argument: string, { set, steps }: Options, cwd: string): Promise<Curve> {
  const { bareSchedule, learningRateOf, loadRecipe, planOf } = await import("perennial/recipe");
  const file = resolve(cwd, argument);
  const inline = /[:{]\s/.test(argument) || argument.startsWith("{");
  const text = inline ? argument : existsSync(file) && statSync(file).isFile() ? readFileSync(file, "utf8") : "";
  const spec = bareSchedule(text, inline ? "schedule" : file, { set });
  if (spec !== undefined) {
    const { resolveSchedule, toSchedule } = await import("perennial/train/schedule");
    const stages = [{ name: spec.schedule, startStep: 0, steps }];
    return { name: spec.schedule, stages, totalSteps: steps, learningRate: toSchedule(resolveSchedule(spec, steps)) };
  }
  const [recipe] = loadRecipe(file, { set }).variants;
  const plan = planOf(recipe);
  return { name: recipe.name, stages: plan.stages, totalSteps: plan.totalSteps, learningRate: learningRateOf(recipe, plan) };
}

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
