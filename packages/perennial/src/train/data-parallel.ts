/**
 * Data-parallel training: each process holds the whole model and sees its own part of every step's batches; gradients are
 * summed over all of them (the loop has divided the loss by the targets of the whole step), so that every process makes
 * the same update.
 */
import { cuda, distributed, noGrad, type Tensor } from "@perennial/torch";
import { PerennialError } from "../errors.ts";
import { singleProcess, type World } from "./world.ts";

/** A world that must be left at the end. */
export interface OpenWorld extends World {
  close(): void;
}

/**
 * The world that the environment describes: variables of torchrun, `perennial train --processes` or srun. Without any, or
 * with one process, training is on its own. `timeoutSeconds`: after how long a process that does not join is an error.
 * `device`: on GPUs each process of a machine takes its own, and they talk through NCCL; default auto: where there are any.
 */
export async function openWorld(
  {
    device = "auto",
    ...options
  }: { readonly timeoutSeconds?: number; readonly connectTimeoutSeconds?: number; readonly device?: "auto" | "cpu" | "cuda" } = {},
  environment: distributed.Environment = process.env,
): Promise<OpenWorld> {
  const place = distributed.placeFromEnvironment(environment);
  if (place === undefined || place.worldSize === 1) return { ...singleProcess, close: () => {} };
  const onGpu = device !== "cpu" && cuda.isAvailable();
  try {
    if (onGpu) cuda.setDevice(gpuOf(place));
    return worldOf(await distributed.initProcessGroup({ ...place, ...options, ...(onGpu ? { backend: "nccl" } : {}) }));
  } catch (error) {
    throw new PerennialError("WORLD", (error as Error).message, { cause: error });
  }
}

/** A GPU for each process of a machine: two processes on one would wait for each other for ever. */
function gpuOf({ localRank, localWorldSize }: distributed.ProcessPlace): number {
  const devices = cuda.deviceCount();
  if (localRank < devices) return localRank;
  throw new Error(
    `${localWorldSize} processes were started on this machine, which has ${devices} GPUs; start one for each, or train with --device cpu.`,
  );
}

/** The processes of a group as the training loop sees them. */
export function worldOf(group: distributed.ProcessGroup): OpenWorld {
  return {
    rank: group.rank,
    size: group.size,
    localSize: group.localWorldSize,
    sum: (value) => group.sum(value),
    sums: (values) => group.sum(values),
    gradientSum(parameters, { overlap = true } = {}) {
      const reducer = new distributed.GradientReducer(group, parameters, { overlap });
      return {
        beforeLastBackward: () => reducer.begin(),
        finish: () => reducer.finish(),
        dispose: () => reducer.dispose(),
      };
    },
    share(tensors: Iterable<Tensor>) {
      noGrad(() => {
        for (const tensor of tensors) group.broadcast(tensor);
      });
    },
    barrier: () => group.barrierAsync(),
    close: () => group.destroy(),
  };
}
