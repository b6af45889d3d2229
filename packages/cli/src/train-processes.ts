/** `perennial train --processes N`: the same command once per process, watched as one. */
import { PerennialError } from "perennial";
import type { Effects } from "./effects.ts";
import { INTERRUPTED, Interrupted } from "./verb.ts";

/** Whether a launcher (this one, torchrun, srun) has said already which process this is. */
export const isLaunched = ({ env }: Effects): boolean => env.RANK !== undefined || env.SLURM_STEP_ID !== undefined;

export async function trainInProcesses(processes: number, effects: Effects): Promise<void> {
  const { describeFailure, launch } = await import("perennial/train");
  const [program, ...args] = process.argv;
  const result = await launch({
    processes,
    command: program!,
    args: [...process.execArgv, ...args],
    cwd: effects.cwd,
    environment: effects.env,
    out: effects.out,
    err: effects.err,
  });
  if (result.failed !== undefined) throw new PerennialError("PROCESS_FAILED", describeFailure(result));
  if (result.exitCode === INTERRUPTED) throw new Interrupted();
  if (result.exitCode !== 0) throw new PerennialError("PROCESS_FAILED", `Training ended with code ${result.exitCode}.`);
}
