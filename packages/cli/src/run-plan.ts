/** Makes a plan for a person at a terminal: outline, progress, Ctrl-C, the recommendation. */
import { dirname, relative, resolve } from "node:path";
import type { PlanFile, PlanOutcome, PlanOutline } from "perennial/plan";
import type { Effects } from "./effects.ts";
import { clock, Progress, progressMode } from "./progress.ts";
import { displayRun } from "./run-display.ts";
import { table } from "./text.ts";
import { INTERRUPTED, Interrupted } from "./verb.ts";

export interface PlanCommandOptions {
  verify?: boolean;
  json?: boolean;
  quiet?: boolean;
  store: string;
}

export async function describePlan(plan: PlanFile, baseFolder: string, options: PlanCommandOptions, effects: Effects): Promise<void> {
  const { outlinePlan } = await import("perennial/plan");
  const outline = await outlinePlan(plan, baseFolder);
  const seconds = await secondsOf(outline);
  effects.out(options.json === true ? `${JSON.stringify({ ...outline, seconds }, null, 2)}\n` : await outlineText(outline, seconds));
}

interface Seconds {
  readonly pilots: number;
  readonly verification: number;
}

async function secondsOf({ flops }: PlanOutline): Promise<Seconds> {
  const { diagnose } = await import("@perennial/torch");
  const { TYPICAL_UTILIZATION } = await import("perennial/recipe");
  const { float32Flops, bfloat16Flops } = diagnose();
  const speed = Math.max(float32Flops, bfloat16Flops) * TYPICAL_UTILIZATION;
  return { pilots: flops.pilots / speed, verification: flops.verification / speed };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

async function outlineText(outline: PlanOutline, seconds: Seconds): Promise<string> {
  const { formatCount } = await import("perennial/recipe");
  const { spec, pilots, corpora, models, sharing } = outline;
  const shares = pilots.map((pilot) => pilot.spec.ratio);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const epochs = (name: "domain" | "general") => {
    const [from, to] = name === "domain" ? [low, high] : [1 - high, 1 - low];
    return `${((from * spec.budgetTokens) / corpora[name].tokens).toPrecision(2)} to ${((to * spec.budgetTokens) / corpora[name].tokens).toPrecision(2)}`;
  };
  const sized = models.length > 1;
  const rows = pilots.map((pilot) => [
    percent(pilot.spec.ratio),
    ...(sized ? [formatCount(pilot.spec.modelSize!)] : []),
    pilot.spec.checkpoints.map(formatCount).join(" "),
    String(pilot.runs),
    formatCount(pilot.trainedTokens),
  ]);
  const head = ["domain share", ...(sized ? ["parameters"] : []), "budgets, tokens", "runs", "trained"];
  const how = {
    "on-the-way": "one run per share, measured at every budget on the way",
    branches: "one trunk per share at a constant rate, every budget annealed on a branch",
    separate: "a run per share and budget, because this schedule depends on its length",
  }[sharing];
  return [
    `${formatCount(spec.budgetTokens)} tokens are planned; ${pilots.length} pilots: ${how}\n`,
    table(head, rows, sized ? [1, 3, 4] : [2, 3]),
    "\n",
    table(
      ["corpus", "tokens", `passes at shares from ${percent(low)} to ${percent(high)}`],
      (["domain", "general"] as const).map((name) => [
        name,
        `${corpora[name].exact ? "" : "≈ "}${formatCount(corpora[name].tokens)}`,
        epochs(name),
      ]),
      [1, 2],
    ),
    `\npilots  ${formatCount(pilots.reduce((sum, { trainedTokens }) => sum + trainedTokens, 0))} tokens, about ${clock(seconds.pilots)}\n`,
    `verify  ${formatCount(3 * spec.budgetTokens)} tokens, about ${clock(seconds.verification)} more\n`,
    "Times hold if the usual share of this machine's peak is reached; models below 10 M parameters reach less.\n",
  ].join("");
}

export async function makePlan(plan: PlanFile, baseFolder: string, options: PlanCommandOptions, effects: Effects): Promise<void> {
  const { outlinePlan, PlanInterrupted, runPlan } = await import("perennial/plan");
  const outline = await outlinePlan(plan, baseFolder);
  if (options.quiet !== true) effects.err(`${await outlineText(outline, await secondsOf(outline))}\n`);
  // The result is one JSON value on standard output; progress goes to standard error whatever is printed.
  const progress = new Progress(
    progressMode({ quiet: options.quiet === true || options.json === true, json: false }, effects.isTTY),
    effects,
  );
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(INTERRUPTED);
    abort.abort();
    effects.err("\nperennial: finishing the step, then saving; Ctrl-C again to leave at once\n");
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const display = displayRun(progress, effects);
  try {
    const outcome = await runPlan(outline, {
      baseFolder,
      storePath: resolve(effects.cwd, options.store),
      cacheFolder: resolve(effects.cwd, dirname(options.store), "tokens"),
      listen: display,
      signal: abort.signal,
      versions: { node: process.version, perennial: "0.1.0" },
      ...(options.verify === undefined ? {} : { verify: options.verify }),
    });
    progress.end();
    effects.out(
      options.json === true ? `${JSON.stringify(resultOf(outcome, effects.cwd), null, 2)}\n` : await resultText(outcome, effects.cwd),
    );
  } catch (error) {
    progress.end();
    if (!(error instanceof PlanInterrupted)) throw error;
    effects.err(`perennial: ${error.message}\n`);
    throw new Interrupted();
  } finally {
    progress.end();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

function resultOf({ plan, verification, ...files }: PlanOutcome, cwd: string): unknown {
  const short = (path: string | null) => (path === null ? null : relative(cwd, path));
  return {
    recommendation: plan.recommendation,
    tradeOff: plan.tradeOff,
    compute: plan.compute,
    criticalRatio: plan.cmr?.critical ?? null,
    goodness: { domain: plan.pair.domain.goodness, general: plan.pair.general.goodness },
    verification,
    recipe: short(files.recipe),
    report: short(files.page),
    plan: short(files.json),
  };
}

async function resultText({ plan, verification, ...files }: PlanOutcome, cwd: string): Promise<string> {
  const { goalText } = await import("perennial/plan");
  const { ratio, low, high, tokens, domainLoss, generalLoss, epochs, warnings } = plan.recommendation;
  const { formatCount } = await import("perennial/recipe");
  const banded = (loss: { loss: number; low: number; high: number }) =>
    `${loss.loss.toFixed(3)} (${loss.low.toFixed(3)} to ${loss.high.toFixed(3)})`;
  const lines = [`\ngoal      ${goalText(plan)}`];
  if (ratio === null) lines.push("mixture   no share keeps to the goal");
  else
    lines.push(
      `mixture   ${percent(ratio)} domain, ${percent(1 - ratio)} general (90 %: ${percent(low!)} to ${percent(high!)} domain)`,
      `tokens    ${formatCount(Math.round(ratio * tokens))} domain · ${formatCount(Math.round((1 - ratio) * tokens))} general`,
      `losses    domain ${banded(domainLoss!)} · general ${banded(generalLoss!)} nats per token expected`,
      `passes    domain ${epochs!.domain.toPrecision(2)} · general ${epochs!.general.toPrecision(2)} over the text`,
    );
  if (plan.cmr !== null && plan.cmr.critical.ratio !== null)
    lines.push(`critical  ${percent(plan.cmr.critical.ratio)} domain by the CMR law, at the pilots' length (${plan.cmr.critical.boundBy})`);
  for (const warning of warnings) lines.push(`note      ${warning}`);
  if (verification !== null) {
    const rows = verification.ratios.map(({ ratio: share, recommended, domain, general, allowed }) => [
      `${percent(share)}${recommended ? " recommended" : ""}`,
      ...[domain, general].flatMap(({ predicted, measured, relativeError }) => [
        predicted.loss.toFixed(3),
        measured.toFixed(3),
        `${relativeError >= 0 ? "+" : "−"}${(100 * Math.abs(relativeError)).toFixed(2)} %`,
      ]),
      allowed ? "kept" : "missed",
    ]);
    const head = ["domain share", "domain predicted", "measured", "error", "general predicted", "measured", "error", "goal"];
    lines.push(
      "",
      table(head, rows, [1, 2, 3, 4, 5, 6]).trimEnd(),
      verification.recommendedIsBest ? "The recommended share did best." : "Another share did better than the recommended one.",
    );
  }
  lines.push("");
  if (files.recipe !== null) lines.push(`recipe    ${relative(cwd, files.recipe)}    (perennial train ${relative(cwd, files.recipe)})`);
  lines.push(`report    ${relative(cwd, files.page)}`);
  return `${lines.join("\n")}\n`;
}
