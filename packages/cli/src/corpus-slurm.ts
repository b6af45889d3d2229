/** `perennial corpus run --launcher slurm`: the stages of a corpus as job arrays, submitted or only shown. */
import { FieldError } from "perennial";
import type { CorpusPlan, SlurmOptions } from "perennial/corpus";
import type { Effects } from "./effects.ts";
import { printable, table } from "./text.ts";

export interface LauncherOptions {
  launcher?: string;
  partition?: string;
  account?: string;
  time?: string;
  maxParallel?: number;
  maxTasks: number;
  sbatch: string[];
  workers: number;
  set: string[];
  dryRun?: boolean;
  json?: boolean;
}

export async function launchOnSlurm(
  plan: CorpusPlan,
  { recipe, folder }: { readonly recipe: string; readonly folder: string },
  options: LauncherOptions,
  effects: Effects,
): Promise<void> {
  if (options.launcher !== "slurm") throw new FieldError("LAUNCHER", { at: "--launcher", expected: "slurm", received: options.launcher });
  const { corpusStages, slurmScript, submitToSlurm } = await import("perennial/corpus");
  const overrides = options.set.flatMap((one) => ["--set", one]);
  const stages = corpusStages(plan, { recipe, folder, maxTasks: options.maxTasks }).map((stage) => ({
    ...stage,
    args: [...stage.args, ...overrides],
  }));
  const { partition, account, time, maxParallel } = options;
  const slurm: SlurmOptions = {
    folder,
    name: plan.recipe.name,
    command: [process.execPath, ...process.execArgv, process.argv[1]!],
    cwd: effects.cwd,
    cpusPerTask: options.workers,
    extra: options.sbatch,
    environment: effects.env,
    ...(partition === undefined ? {} : { partition }),
    ...(account === undefined ? {} : { account }),
    ...(time === undefined ? {} : { time }),
    ...(maxParallel === undefined ? {} : { maxParallel }),
  };
  if (options.dryRun === true) {
    for (const stage of stages)
      effects.out(`# ${stage.name}, after ${stage.after.join(", ") || "nothing"}\n${slurmScript(stage, slurm)}\n`);
    return;
  }
  const submitted = await submitToSlurm(stages, slurm);
  if (options.json === true) return effects.out(`${JSON.stringify(submitted, null, 2)}\n`);
  const rows = submitted.map(({ stage, jobId, tasks, after }) => [stage, jobId, String(tasks), after.join(", ") || "–"]);
  effects.out(
    `${table(["stage", "job", "tasks", "after job"], rows, [1, 2])}\n` +
      `logs    ${printable(folder)}/slurm\nresult  ${printable(folder)}/manifest.json once the last job is done; submitted again, what is left is done\n`,
  );
}
