/**
 * Corpus stages as Slurm job arrays: one script and one array a stage, each waiting for the stages before it (`afterok`).
 * Scripts, logs and job ids lie in FOLDER/slurm. Tasks are idempotent, so submitting again after a failure does what is left.
 */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PerennialError } from "../../errors.ts";
import { writeFileAtomic } from "../formats/index.ts";
import type { CorpusStage } from "../run/stages.ts";

export interface SlurmOptions {
  /** Folder of the corpus run; all nodes must see it under this path. */
  readonly folder: string;
  /** Begins the name of every job. */
  readonly name: string;
  /** The command in front of a stage's arguments: program first. */
  readonly command: readonly string[];
  /** Where the command is called: relative paths start there. */
  readonly cwd: string;
  readonly partition?: string;
  readonly account?: string;
  /** As Slurm writes it: 30, 4:00:00, 2-00:00:00. Without it the partition decides. */
  readonly time?: string;
  /** Members of an array that run at once, at most. */
  readonly maxParallel?: number;
  /** Processor cores of a member; its task uses as many worker threads. */
  readonly cpusPerTask?: number;
  /** Any other options of sbatch, as on its command line. */
  readonly extra?: readonly string[];
  /** Of the Slurm commands; default: that of this process. Jobs get it too. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface SubmittedStage {
  readonly stage: string;
  readonly jobId: string;
  readonly tasks: number;
  readonly after: readonly string[];
}

/** The batch script of one stage. What it waits for is said when it is submitted. */
export function slurmScript(stage: CorpusStage, options: SlurmOptions): string {
  const { folder, name, command, cwd, partition, account, time, maxParallel, cpusPerTask = 1, extra = [] } = options;
  const limit = maxParallel === undefined ? "" : `%${maxParallel}`;
  const settings = [
    `--job-name=${name}-${stage.name}`,
    `--array=0-${stage.tasks - 1}${limit}`,
    `--cpus-per-task=${cpusPerTask}`,
    `--mem=${Math.ceil(stage.memoryBytes / 2 ** 20)}M`,
    // A percent sign is Slurm's own; a space would end the path.
    `--output=${quotedPath(join(folder, "slurm", `${stage.name}-%a.log`))}`,
    `--chdir=${quotedPath(cwd)}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...extra,
  ];
  for (const setting of settings)
    if (/[\r\n]/.test(setting))
      throw new PerennialError("SLURM_OPTION", `An option of sbatch is one line; received ${JSON.stringify(setting)}.`);
  const workers = cpusPerTask > 1 ? ["--workers", String(cpusPerTask)] : [];
  return `${["#!/bin/sh", ...settings.map((setting) => `#SBATCH ${setting}`)].join("\n")}

exec ${[...command, ...stage.args, ...workers].map(shellQuoted).join(" ")}
`;
}

/**
 * Writes the scripts and submits the arrays, in order. When one is refused those submitted before are cancelled, so that
 * nothing half-submitted stays. Returns what was submitted; the same is in FOLDER/slurm/jobs.json.
 */
export async function submitToSlurm(stages: readonly CorpusStage[], options: SlurmOptions): Promise<SubmittedStage[]> {
  const place = join(options.folder, "slurm");
  mkdirSync(place, { recursive: true });
  const submitted: SubmittedStage[] = [];
  for (const stage of stages) {
    const script = join(place, `${stage.name}.sh`);
    writeFileAtomic(script, slurmScript(stage, options));
    const after = stage.after.map((name) => submitted.find((one) => one.stage === name)!.jobId);
    // Without kill-on-invalid-dep what waits for a failed stage would stay in the queue for ever.
    const waits = after.length === 0 ? [] : [`--dependency=afterok:${after.join(":")}`, "--kill-on-invalid-dep=yes"];
    try {
      const jobId = await sbatch([...waits, script], options.environment);
      submitted.push({ stage: stage.name, jobId, tasks: stage.tasks, after });
    } catch (error) {
      await cancel(
        submitted.map(({ jobId }) => jobId),
        options.environment,
      );
      throw error;
    }
  }
  writeFileAtomic(join(place, "jobs.json"), `${JSON.stringify(submitted, undefined, 2)}\n`);
  return submitted;
}

const run = promisify(execFile);

type Environment = SlurmOptions["environment"];

async function sbatch(args: readonly string[], environment: Environment): Promise<string> {
  try {
    const { stdout } = await run("sbatch", ["--parsable", ...args], { env: { ...process.env, ...environment } });
    // "123" or "123;cluster".
    return stdout.trim().split(";")[0]!;
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
    if (code === "ENOENT")
      throw new PerennialError(
        "SLURM_MISSING",
        "There is no command sbatch here: call this on a machine that submits to Slurm, or use --workers.",
        { cause: error },
      );
    const reason = (stderr?.trim() || message).split("\n")[0]!;
    throw new PerennialError("SLURM_REFUSED", `sbatch refused ${args.at(-1)}: ${reason.replace(/^sbatch: (error: )?/, "")}`, {
      cause: error,
    });
  }
}

async function cancel(jobIds: readonly string[], environment: Environment): Promise<void> {
  // What cannot be cancelled is gone already.
  if (jobIds.length > 0) await run("scancel", [...jobIds], { env: { ...process.env, ...environment } }).catch(() => {});
}

const shellQuoted = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const quotedPath = (path: string): string => (/\s|"/.test(path) ? `"${path.replaceAll('"', '\\"')}"` : path);
