/** Runs a recipe for a person at a terminal: progress, Ctrl-C, the table at the end, the report. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { ResolvedRecipe } from "perennial/recipe";
import { changeText } from "perennial/report";
import type { RunSummary } from "perennial/run";
import type { Effects } from "./effects.ts";
import { Progress, progressMode } from "./progress.ts";
import { displayRun } from "./run-display.ts";
import { printable, table } from "./text.ts";
import { INTERRUPTED, Interrupted } from "./verb.ts";

export interface TrainOptions {
  resume?: boolean;
  until?: number;
  variant?: string;
  quiet?: boolean;
  json?: boolean;
  device?: "auto" | "cpu" | "cuda";
  /** The store of runs; relative to where the command is called, like everywhere else. */
  store: string;
}

export async function trainRecipe(
  resolved: ResolvedRecipe,
  baseFolder: string,
  options: TrainOptions,
  effects: Effects,
): Promise<RunSummary[]> {
  const { openWorld, runRecipe } = await import("perennial/run");
  const device = options.device ?? "auto";
  const world = await openWorld({ device }, effects.env);
  const progress = new Progress(progressMode({ quiet: options.quiet === true, json: options.json === true }, effects.isTTY), effects);
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(INTERRUPTED);
    abort.abort();
    if (world.rank === 0) effects.err("\nperennial: finishing the step, then saving; Ctrl-C again to leave at once\n");
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const summaries = await runRecipe(resolved, {
      baseFolder,
      world,
      device,
      storePath: resolve(effects.cwd, options.store),
      cacheFolder: resolve(effects.cwd, dirname(options.store), "tokens"),
      listen: displayRun(progress, effects),
      signal: abort.signal,
      versions: { node: process.version, perennial: "0.1.0" },
      ...(options.resume === undefined ? {} : { resume: options.resume }),
      ...(options.until === undefined ? {} : { until: options.until }),
      ...(options.variant === undefined ? {} : { variant: options.variant }),
    });
    progress.end();
    if (options.json !== true && summaries.length > 0 && world.rank === 0) {
      // What was cut short before the end of a stage has nothing to compare yet.
      const measured = summaries.filter(({ result }) => result.after.size > 0);
      if (measured.length > 0) effects.out(`\n${resultTable(measured, Object.keys(resolved.variants[0].corpora))}`);
      const report = await writeReport(resolve(effects.cwd, options.store), summaries);
      effects.out(`\nreport  ${relative(effects.cwd, report)}\n`);
    }
    if (abort.signal.aborted) throw new Interrupted();
    return summaries;
  } finally {
    world.close();
    progress.end();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** Bits per byte of every corpus, in the order of the recipe, before and after, for each variant; lower is better. */
export function resultTable(summaries: readonly RunSummary[], names: readonly string[]): string {
  const corpora = names.filter((name) => summaries.some(({ result }) => result.before.has(name)));
  const rows = summaries.map(({ variant, result }) => [
    printable(variant),
    ...corpora.flatMap((corpus) => {
      const [before, after] = [result.before.get(corpus), result.after.get(corpus)];
      if (before === undefined || after === undefined) return ["–", "–", "–"];
      const { low = Number.NaN, high = Number.NaN } = result.changes.get(corpus) ?? {};
      return [before.toFixed(3), after.toFixed(3), changeText(after - before, low, high)];
    }),
  ]);
  const head = ["bits per byte", ...corpora.flatMap((corpus) => [`${printable(corpus)} before`, "after", "change"])];
  return table(head, rows, head.map((_, i) => i).slice(1));
}

async function writeReport(storePath: string, summaries: readonly RunSummary[]): Promise<string> {
  const { openStore } = await import("perennial/store");
  const { reportOf } = await import("perennial/report");
  const store = openStore(storePath, { mode: "read" });
  try {
    const report = reportOf(store, store.runs.find(summaries[0]!.runId));
    const folder = dirname(summaries[0]!.folder);
    mkdirSync(folder, { recursive: true });
    for (const [extension, text] of [
      ["html", report.html],
      ["md", report.markdown],
      ["json", report.json],
    ] as const)
      writeFileSync(join(folder, `report.${extension}`), text);
    return join(folder, "report.html");
  } finally {
    store.close();
  }
}
